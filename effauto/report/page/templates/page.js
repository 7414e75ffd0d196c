"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const KINDS = {
    chosen: ["the answer", "accent", "star", 17],
    alternative: ["alternatives", "other", "circle", 10],
    tried: ["trials, as measured", "tried", "circle-open", 9],
  };

  const option = (name) => new Option(name, name);
  const cell = (text, kind) => {
    const made = document.createElement("td");
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const knownFrom = (point) =>
    point.share === 0 ? "foretold" : point.share >= 1 ? "all of the data" : `${Math.round(100 * point.share)} % of the data`;

  // --- the front -------------------------------------------------------------------------------
  const shown = () => {
    const words = at("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const tried = at("tried");
    return data.points.filter((point) =>
      words.every((word) => point.name.toLowerCase().includes(word)) &&
      !(at("kept").checked && point.broken.length) &&
      !(tried && !tried.checked && point.kind === "tried"));
  };

  const trace = (kind, points, x, y) => {
    const [name, colour, symbol, size] = KINDS[kind];
    const [unitX, unitY] = [x, y].map((axis) => effauto.scaleOf(data.resources[axis].unit)[0]);
    const side = (axis, unit) => {
      const figures = points.map((point) => point.figures[axis]);
      return {
        values: figures.map((f) => f.value / unit),
        bars: { type: "data", symmetric: false, thickness: 1, width: 3,
          array: figures.map((f) => (f.high - f.value) / unit), arrayminus: figures.map((f) => (f.value - f.low) / unit),
          color: effauto.colour(colour) },
      };
    };
    const [across, up] = [side(x, unitX), side(y, unitY)];
    return {
      type: "scatter", mode: "markers", name, x: across.values, y: up.values, error_x: across.bars, error_y: up.bars,
      customdata: points.map((point) => point.id), hoverinfo: "text",
      hovertext: points.map((point) => [
        `<b>${effauto.wrapped(point.name)}</b>`, `${effauto.plain(y)} ${effauto.plain(point.figures[y].text)}`,
        `${effauto.plain(x)} ${effauto.plain(point.figures[x].text)}`, effauto.plain(knownFrom(point)),
        ...point.broken.map((limit) => `breaks ${effauto.plain(limit)}`)].join("<br>")),
      marker: { color: effauto.colour(colour), size, symbol, line: { width: 1.5, color: effauto.colour(kind === "tried" ? "tried" : "card") } },
    };
  };

  const limitLines = (x, y) => data.limits.filter((limit) => limit.limit !== null).flatMap((limit) => {
    const value = limit.limit / effauto.scaleOf(limit.unit)[0];
    const line = { type: "line", line: { color: effauto.colour("bad"), width: 1.5, dash: "dash" }, label: {
      text: effauto.plain(limit.said), font: { size: 11, color: effauto.colour("bad") }, textposition: "end", textangle: 0 } };
    if (limit.resource === x) return [{ ...line, x0: value, x1: value, yref: "paper", y0: 0, y1: 1, label: { ...line.label, xanchor: "right" } }];
    return limit.resource === y ? [{ ...line, y0: value, y1: value, xref: "paper", x0: 0, x1: 1 }] : [];
  });

  const fillTable = (points, x, y) => {
    at("x-title").textContent = x;
    at("y-title").textContent = y;
    const text = (point, name) => (point.figures[name] ? point.figures[name].text : "");
    at("recipes").tBodies[0].replaceChildren(...points.map((point) => {
      const row = document.createElement("tr");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = point.name;
      button.addEventListener("click", () => mark(point.id));
      const first = cell("");
      first.append(button);
      row.dataset.id = point.id;
      row.append(first, cell(knownFrom(point)), cell(text(point, x), "number"), cell(text(point, y), "number"), cell(point.broken.join(", "), "bad"));
      return row;
    }));
  };

  const mark = (id) => {
    for (const row of at("recipes").tBodies[0].rows) {
      if (row.dataset.id === id) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    const size = (trace) => trace.customdata.map((point) => KINDS[trace.kind][3] * (point === id ? 1.7 : 1));
    kinds.forEach((kind, place) => Plotly.restyle("front", { "marker.size": [size({ ...at("front").data[place], kind })] }, [place]));
    const point = data.points.find((one) => one.id === id);
    at("status").textContent = `${point.name}, ${knownFrom(point)}`;
  };

  // Through the recipes that no other shown here beats in one figure without losing in the other.
  const frontLine = (points, x, y) => {
    const [signX, signY] = [x, y].map((name) => (data.resources[name].more ? -1 : 1));
    const value = (point, name) => point.figures[name].value / effauto.scaleOf(data.resources[name].unit)[0];
    const sorted = points.map((point) => [signX * value(point, x), signY * value(point, y)]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    let last = Infinity;
    const line = sorted.filter(([, cost]) => cost < last && ((last = cost), true));
    return { type: "scatter", mode: "lines", name: "the front", hoverinfo: "skip", x: line.map(([cost]) => signX * cost), y: line.map(([, cost]) => signY * cost),
      line: { color: effauto.colour("accent"), width: 1.5, shape: signX < 0 ? "vh" : "hv" } };
  };

  let kinds = [];
  const drawFront = () => {
    const [x, y] = [at("x").value, at("y").value];
    const points = shown();
    const both = points.filter((point) => point.figures[x] && point.figures[y]);
    kinds = ["tried", "alternative", "chosen"].filter((kind) => both.some((point) => point.kind === kind));
    const values = (name) => [...both.map((point) => point.figures[name].value), ...data.limits.filter((l) => l.resource === name && l.limit).map((l) => l.limit)];
    const traces = kinds.map((kind) => trace(kind, both.filter((point) => point.kind === kind), x, y));
    effauto.draw("front", x === y ? traces : [...traces, frontLine(both, x, y)], {
      xaxis: effauto.axis(x, data.resources[x].unit, values(x)), yaxis: effauto.axis(y, data.resources[y].unit, values(y)),
      shapes: limitLines(x, y) });
    fillTable(points, x, y);
    at("status").textContent = `${points.length} of ${data.points.length} recipes`;
  };

  // --- foretold against measured, and the course of the search ------------------------------------
  const drawPairs = () => {
    const name = at("pair").value;
    const found = data.pairs[name];
    const unit = data.resources[name] ? data.resources[name].unit : "";
    const [scale] = effauto.scaleOf(unit);
    const all = found.flatMap((pair) => [pair.foretold, pair.measured]);
    const ends = [Math.min(...all) / scale, Math.max(...all) / scale];
    const inside = found.filter((pair) => pair.low <= pair.measured && pair.measured <= pair.high).length;
    effauto.draw("pairs", [
      { type: "scatter", mode: "lines", x: ends, y: ends, hoverinfo: "skip", showlegend: false, line: { color: effauto.colour("quiet"), dash: "dot", width: 1 } },
      { type: "scatter", mode: "markers", showlegend: false, x: found.map((p) => p.measured / scale), y: found.map((p) => p.foretold / scale),
        hoverinfo: "text", hovertext: found.map((p) => `${effauto.wrapped(p.name)}<br>${effauto.plain(p.text)}`),
        error_y: { type: "data", symmetric: false, thickness: 1, width: 3, color: effauto.colour("accent"),
          array: found.map((p) => (p.high - p.foretold) / scale), arrayminus: found.map((p) => (p.foretold - p.low) / scale) },
        marker: { color: effauto.colour("accent"), size: 9 } },
    ], { xaxis: { ...effauto.axis("measured", unit, all), tickformat: unit === "byte" ? "" : "~s" }, yaxis: { ...effauto.axis("foretold", unit, all), tickformat: unit === "byte" ? "" : "~s" } });
    at("pairs-told").textContent = `${inside} of ${found.length} trials lay within the range that was foretold.`;
  };

  const drawCourse = () => {
    const ended = data.course.filter((trial) => trial.quality !== null);
    let best = null;
    const line = ended.filter((trial) => trial.kept).map((trial) => ({ at: trial.at, quality: (best = best === null ? trial.quality : Math.max(best, trial.quality)) }));
    const dots = (trials, name, colour, symbol) => ({ type: "scatter", mode: "markers", name, x: trials.map((t) => t.at), y: trials.map((t) => t.quality ?? 0),
      hoverinfo: "text", hovertext: trials.map((t) => `${effauto.wrapped(t.name)}<br>${t.quality === null ? effauto.wrapped(`${t.state}: ${t.error}`.slice(0, 200)) : `${t.quality.toFixed(3)} on ${Math.round(100 * t.share)} % of the data`}`),
      marker: { color: effauto.colour(colour), size: trials.map((t) => 6 + 8 * t.share), symbol } });
    const failed = data.course.filter((trial) => trial.quality === null);
    effauto.draw("course", [
      { type: "scatter", mode: "lines", name: "best within the budget", line: { shape: "hv", color: effauto.colour("accent"), width: 2 }, x: line.map((p) => p.at), y: line.map((p) => p.quality), hoverinfo: "skip" },
      dots(ended.filter((t) => t.kept), "keeps the budget", "good", "circle"),
      dots(ended.filter((t) => !t.kept), "breaks a limit", "bad", "x"),
      ...(failed.length ? [dots(failed, "did not finish", "tried", "triangle-up-open")] : []),
    ], { xaxis: effauto.axis("since the first trial began", "s", [0, 1]), yaxis: effauto.axis(data.metric, "1", [0, 1]) });
  };

  // --- set up --------------------------------------------------------------------------------------
  const names = Object.keys(data.resources);
  const first = (wanted) => wanted.find((name) => names.includes(name)) || names[0];
  if (names.length) {
    for (const id of ["x", "y"]) at(id).append(...names.map(option));
    at("y").value = first([data.metric]);
    at("x").value = first([...data.limits.map((l) => l.resource).filter((n) => n !== data.metric && names.includes(n)), "inference.latency", "model.size"]);
    for (const id of ["x", "y", "filter", "kept", "tried"]) if (at(id)) at(id).addEventListener("input", drawFront);
    drawFront();
    at("front").on("plotly_click", (event) => {
      if (event.points[0].customdata) mark(event.points[0].customdata);
      const row = at("recipes").querySelector("[aria-current]");
      if (row) row.scrollIntoView({ block: "nearest" });
    });
    effauto.onTheme(drawFront);
  }
  if (at("pair")) {
    at("pair").append(...Object.keys(data.pairs).map(option));
    if ("train.time" in data.pairs) at("pair").value = "train.time";
    at("pair").addEventListener("input", drawPairs);
    drawPairs();
    effauto.onTheme(drawPairs);
  }
  if (at("course")) {
    drawCourse();
    effauto.onTheme(drawCourse);
  }
  if (at("ruled-filter")) at("ruled-filter").addEventListener("input", (event) => {
    const word = event.target.value.toLowerCase();
    for (const row of at("ruled").tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(word);
  });
  for (const form of document.forms) if (!form.hasAttribute("action")) form.addEventListener("submit", (event) => event.preventDefault());
})();
