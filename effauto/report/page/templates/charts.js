"use strict";
// How effauto draws: colours from the style sheet, quantities with their unit, text never as markup.
const effauto = (() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const SCALES = { byte: [2 ** 20, "MiB"], joule: [1, "J"], gram: [1, "g"], s: [1, "s"], "1/s": [1, "/s"] };

  // Plotly's prefixes for SI units; bytes are shown in MiB, as everywhere in effauto.
  const scaleOf = (unit) => SCALES[unit] || [1, ""];

  const wrapped = (text, width = 60) => {
    const lines = [""];
    for (const word of String(text).split(" ")) {
      const line = lines[lines.length - 1];
      if (line && line.length + word.length >= width) lines.push(word);
      else lines[lines.length - 1] = line ? `${line} ${word}` : word;
    }
    return lines.map(plain).join("<br>");
  };

  const spansDecades = (values) => {
    const positive = values.filter((value) => value > 0);
    return positive.length === values.length && Math.max(...positive) > 30 * Math.min(...positive);
  };

  const axis = (name, unit, values) => ({
    title: { text: name, font: { size: 13 } },
    type: spansDecades(values) ? "log" : "linear",
    tickformat: unit === "byte" || name.startsWith("quality.") || name.startsWith("guard.") ? "" : "~s",
    ticksuffix: scaleOf(unit)[1],
    dtick: spansDecades(values) ? 1 : undefined,
    gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"), automargin: true,
  });

  // A legend stands above the chart: in a line where there is room, else in a column.
  const legendHeight = (traces) => {
    const named = traces.filter((trace) => trace.name && trace.showlegend !== false).length;
    return named === 0 ? 12 : innerWidth < 600 ? 24 + 19 * named : 44;
  };

  const layout = (more, top) => ({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("ink"), family: "system-ui, sans-serif", size: 12 },
    margin: { l: 60, r: 16, t: top, b: 48 }, hovermode: "closest",
    legend: { orientation: "h", yref: "container", yanchor: "top", y: 1, x: 0 },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink") }, align: "left" },
    ...more,
  });

  const OPTIONS = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"], displayModeBar: false };
  const draw = (place, traces, more) => Plotly.react(place, traces, layout(more, legendHeight(traces)), OPTIONS);
  const onTheme = (redraw) => matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return { axis, colour, draw, onTheme, plain, scaleOf, wrapped };
})();
