// Runs a notebook whose metadata say {"cts": {"run_when_opened": true}} as soon as its kernel is
// ready, and keeps its outputs out of the file: they are alive, not worth saving.

const begun = new WeakSet();

function wants(panel) {
  const model = panel?.context?.model;
  return Boolean(model?.getMetadata?.("cts")?.run_when_opened);
}

// A single document needs no side bars; View ▸ Appearance brings them back.
async function makeRoom({ shell, commands }) {
  if (shell.mode !== "single-document") return;
  shell.collapseLeft();
  shell.collapseRight();
  for (const side of ["left", "right"]) {
    const command = "application:toggle-side-tabbar";
    if (commands.isToggled(command, { side })) await commands.execute(command, { side });
  }
}

async function run(app, panel) {
  await panel?.context?.ready;
  if (!wants(panel) || begun.has(panel)) return;
  begun.add(panel);
  await makeRoom(app);
  await panel.sessionContext.ready;
  await app.commands.execute("notebook:run-all-cells");
  panel.context.model.dirty = false;
}

const plugin = {
  id: "cts-console:run-when-opened",
  autoStart: true,
  activate(app) {
    app.shell.currentChanged?.connect((_, { newValue }) => run(app, newValue));
    app.restored.then(() => run(app, app.shell.currentWidget));
  },
};

globalThis._JUPYTERLAB ??= {};
globalThis._JUPYTERLAB["cts-console"] = {
  init() {},
  async get() {
    return () => ({ __esModule: true, default: plugin });
  },
};
