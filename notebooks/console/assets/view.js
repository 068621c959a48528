// Draws a tree {tag, attributes, text | children} and afterwards changes only what differs.

const SILENT_AFTER_MS = 6000;

function attributesOf(node, wanted) {
  for (const { name } of [...node.attributes]) {
    if (!(name in wanted)) node.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
}

function patch(node, wanted) {
  attributesOf(node, wanted.attributes);
  if (wanted.children === undefined) {
    if (node.childElementCount || node.textContent !== wanted.text) node.textContent = wanted.text;
    return;
  }
  if (!node.childElementCount) node.textContent = "";
  wanted.children.forEach((child, index) => {
    const shown = node.children[index];
    if (shown && shown.localName === child.tag) return patch(shown, child);
    const made = document.createElement(child.tag);
    patch(made, child);
    if (shown) shown.replaceWith(made);
    else node.append(made);
  });
  while (node.childElementCount > wanted.children.length) node.lastElementChild.remove();
}

function render({ model, el }) {
  const root = document.createElement("div");
  el.append(root);
  let beatAt = performance.now();

  const draw = () => {
    const tree = model.get("tree");
    if (tree.tag) patch(root, tree);
  };
  const beaten = () => {
    beatAt = performance.now();
    el.closest(".cts-console")?.classList.remove("silent");
  };
  const click = (event) => {
    const target = event.target.closest("[data-action]");
    if (target && !target.disabled) model.send({ action: target.dataset.action });
  };
  const watch = setInterval(() => {
    const silent = performance.now() - beatAt > SILENT_AFTER_MS;
    if (silent) el.closest(".cts-console")?.classList.add("silent");
  }, 1000);

  el.addEventListener("click", click);
  model.on("change:tree", draw);
  model.on("change:beat", beaten);
  draw();
  return () => {
    clearInterval(watch);
    model.off("change:tree", draw);
    model.off("change:beat", beaten);
  };
}

export default { render };
