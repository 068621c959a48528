// Candles, volume, trade marks and position levels; `LightweightCharts` stands above this text.

const INK = "#9aa7b5";
const LINE = "#1f2833";
const RISE = "#2ebd9b";
const FALL = "#f26d78";
const FALLEN = "#5b2831"; // the body of a falling candle is dark, not only red
const RIGHT_ROOM = 8; // candles
const LEVELS = { entry: "#6cb2ff", stop: FALL, target: RISE };

function element(parent, tag, kind) {
  const made = document.createElement(tag);
  made.className = kind;
  parent.append(made);
  return made;
}

function candleOf([time, open, high, low, close]) {
  return close === undefined ? { time } : { time, open, high, low, close };
}

function volumeOf([time, open, , , close, volume]) {
  if (close === undefined) return { time };
  return { time, value: volume ?? 0, color: close >= open ? `${RISE}55` : `${FALL}55` };
}

function markOf({ time, entry, buys, label }, index) {
  return {
    id: String(index),
    time,
    position: buys ? "belowBar" : "aboveBar",
    shape: entry ? (buys ? "arrowUp" : "arrowDown") : "circle",
    color: entry ? (buys ? RISE : FALL) : "#e6b450",
    text: label,
  };
}

function createPlot(host) {
  const { createChart, CandlestickSeries, HistogramSeries, createSeriesMarkers } =
    window.LightweightCharts;
  const chart = createChart(host, {
    autoSize: true,
    layout: {
      background: { color: "transparent" },
      textColor: INK,
      fontFamily: getComputedStyle(host).fontFamily,
      fontSize: 12,
      attributionLogo: true,
    },
    grid: { vertLines: { color: LINE }, horzLines: { color: LINE } },
    rightPriceScale: { borderColor: LINE, scaleMargins: { top: 0.08, bottom: 0.2 } },
    timeScale: {
      borderColor: LINE, timeVisible: true, secondsVisible: true, rightOffset: RIGHT_ROOM, barSpacing: 6,
    },
    crosshair: { mode: 0 },
  });
  const candles = chart.addSeries(CandlestickSeries, {
    upColor: RISE, borderUpColor: RISE, wickUpColor: RISE,
    downColor: FALLEN, borderDownColor: FALL, wickDownColor: FALL,
  });
  const volume = chart.addSeries(HistogramSeries, {
    priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false,
    priceLineVisible: false,
  });
  chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.85, bottom: 0 } });
  return { chart, candles, volume, markers: createSeriesMarkers(candles, []) };
}

// Adds new candles to those drawn, or draws all when they are of another stretch of time.
function drawPoints(plot, points, drawn) {
  const last = drawn.length ? drawn[drawn.length - 1][0] : undefined;
  const from = last === undefined ? -1 : points.findIndex(([time]) => time === last);
  const continues = from >= 0 && drawn[0][0] <= points[0][0];
  if (!continues) {
    plot.candles.setData(points.map(candleOf));
    plot.volume.setData(points.map(volumeOf));
    plot.chart.timeScale().scrollToPosition(RIGHT_ROOM, false);
    return;
  }
  for (const point of points.slice(from)) {
    plot.candles.update(candleOf(point));
    plot.volume.update(volumeOf(point));
  }
}

function render({ model, el }) {
  const root = element(el, "div", "panel chart");
  root.dataset.of = "chart";
  const head = element(root, "div", "head");
  const select = element(head, "select", "symbols");
  select.title = "Which symbol to show";
  const legend = element(head, "span", "legend");
  const note = element(head, "span", "note");
  const frame = element(root, "div", "plot");
  const plot = createPlot(element(frame, "div", "canvas"));
  const missing = element(frame, "div", "nothing");
  let drawn = [];
  let drawnSymbol = "";
  let lines = [];

  const drawSymbols = () => {
    const symbols = model.get("symbols");
    const texts = symbols.map(({ name, held }) => (held ? `${name} ${held}` : name));
    if ([...select.options].map((option) => option.text).join() !== texts.join()) {
      select.replaceChildren(...symbols.map(({ name }, i) => new Option(texts[i], name)));
    }
    select.value = model.get("symbol");
  };
  const drawLegend = (point, hints) => {
    const digits = model.get("places");
    if (!point || point[4] === undefined) return void (legend.textContent = "");
    const [time, ...values] = point;
    const clock = new Date(time * 1000).toISOString().slice(11, 19);
    const [open, high, low, close] = values.map((value) => value.toFixed(digits));
    const said = hints.length ? ` · ${hints.join(" · ")}` : "";
    legend.textContent = `${clock} UTC  O ${open}  H ${high}  L ${low}  C ${close}${said}`;
  };
  const drawCandles = () => {
    const points = model.get("points");
    const digits = model.get("places");
    plot.candles.applyOptions({
      priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits },
    });
    if (model.get("symbol") !== drawnSymbol) drawn = [];
    drawPoints(plot, points, drawn);
    drawn = points;
    drawnSymbol = model.get("symbol");
    root.dataset.candles = String(points.length);
    root.dataset.last = String(points.length ? points[points.length - 1][0] : "");
    drawLegend(points[points.length - 1], []);
  };
  const drawMarks = () => plot.markers.setMarkers(model.get("marks").map(markOf));
  const drawLevels = () => {
    for (const line of lines) plot.candles.removePriceLine(line);
    lines = model.get("levels").map(({ label, kind, price }) =>
      plot.candles.createPriceLine({
        price, title: label, color: LEVELS[kind], lineWidth: 1, lineStyle: 2,
      }),
    );
  };
  const drawWords = () => {
    missing.textContent = model.get("missing");
    note.textContent = model.get("note");
    root.classList.toggle("stale", Boolean(model.get("note")));
  };
  const follow = ({ time }) => {
    const point = drawn.find((known) => known[0] === time) ?? drawn[drawn.length - 1];
    const hints = model.get("marks").filter((mark) => mark.time === time).map((mark) => mark.hint);
    drawLegend(point, hints);
  };

  const drawings = {
    symbol: drawSymbols, symbols: drawSymbols, points: drawCandles, marks: drawMarks,
    levels: drawLevels, missing: drawWords, note: drawWords,
  };
  for (const [trait, drawing] of Object.entries(drawings)) {
    model.on(`change:${trait}`, drawing);
    drawing();
  }
  plot.chart.subscribeCrosshairMove(follow);
  select.addEventListener("change", () => model.send({ action: `symbol:${select.value}` }));
  return () => {
    for (const [trait, drawing] of Object.entries(drawings)) model.off(`change:${trait}`, drawing);
    plot.chart.remove();
  };
}

export default { render };
