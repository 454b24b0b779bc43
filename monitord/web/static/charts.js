// Draws the charts of a page with uPlot: figures with data-chart, from /data/history.
// A table beside each chart tells the same; nothing here decides anything.
"use strict";
(() => {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const AXIS = 4.8 * rem; // left of the plot: the bands below begin there, too (app.css)
  const HIGH = 12 * rem;
  const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"];
  const told = (value, unit, digits = 4) => {
    if (value === null || value === undefined) return "no data";
    let [v, u] = [value, unit];
    if (u === "B") for (let i = 0; i < BYTES.length; i += 1) {
      u = BYTES[i];
      if (Math.abs(v) < 1024 || i === BYTES.length - 1) break;
      v /= 1024;
    } else if (u === "s" && v !== 0 && Math.abs(v) < 1) [v, u] = [v * 1000, "ms"];
    return `${Number(v.toPrecision(digits))} ${u}`.trim();
  };
  // As few digits as tell one line of the grid from the next.
  const ticks = (splits, unit) => {
    let names = [];
    for (let digits = 3; digits <= 6; digits += 1) {
      names = splits.map((v) => told(v, unit, digits));
      if (new Set(names).size === names.length) break;
    }
    return names;
  };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const options = (figure, data) => {
    const read = figure.querySelector(".read");
    const axis = { font: `${0.8 * rem}px system-ui, sans-serif`, stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    const line = colour("--link");
    return {
      width: figure.clientWidth,
      height: HIGH,
      padding: [8, 0, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { range: () => [data.from, data.to] } },
      axes: [{ ...axis, size: 3.2 * rem }, { ...axis, size: AXIS, values: (_, splits) => ticks(splits, data.unit) }],
      series: [
        {},
        { stroke: line, width: 1.5, spanGaps: false },
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
      ],
      bands: [{ series: [3, 2], fill: `${line}33` }],
      hooks: {
        setCursor: [(plot) => {
          const i = plot.cursor.idx;
          read.textContent = i === null || i === undefined ? "" :
            `${moment.format(new Date(data.at[i] * 1000))}: ${told(data.mean[i], data.unit)}`;
        }],
      },
    };
  };
  const draw = async (figure) => {
    const place = figure.querySelector(".plot");
    const { chart, measurement, from, to } = figure.dataset;
    const points = String(Math.max(60, Math.min(1000, Math.floor(figure.clientWidth / 2))));
    const query = new URLSearchParams({ measurement, from, to, points });
    const path = chart.split("/").map(encodeURIComponent).join("/");
    try {
      const answer = await fetch(`/data/history/${path}?${query}`, { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) throw new Error(`HTTP ${answer.status}`);
      const data = await answer.json();
      const rows = [data.at, data.mean, data.min, data.max];
      let plot = null;
      const paint = () => {
        plot?.destroy();
        plot = new uPlot(options(figure, data), rows, place);
      };
      paint();
      new ResizeObserver(() => {
        if (plot.width !== figure.clientWidth) plot.setSize({ width: figure.clientWidth, height: HIGH });
      }).observe(figure);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
      figure.dataset.drawn = String(data.at.length);
    } catch (error) {
      figure.querySelector(".read").textContent = "The chart could not be loaded; the table has its numbers.";
      figure.dataset.drawn = "failed";
    }
  };
  document.querySelectorAll("figure[data-chart]").forEach(draw);
})();
