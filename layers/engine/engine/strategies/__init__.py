"""What strategies do to paper positions beyond their exits, and how much larger they make them."""
