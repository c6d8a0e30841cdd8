// The map with one or more trajectories and their playback, all in the browser.
//
// Streamlit calls the default function again with the same elements whenever the data or the theme
// changes. State that must survive (the current index, the timer) is therefore kept on the root
// element, and event handlers are assigned, not added.

const BOX = { left: 72, top: 8, size: 500 };
const WIDTH = 620;
const SVG = "http://www.w3.org/2000/svg";
const FRAME_MS = 40;
const FAR = 1e5; // pixels; SVG renderers are imprecise beyond this

const STAR = (() => {
  const corners = Array.from({ length: 10 }, (_, i) => {
    const r = i % 2 ? 4 : 10;
    const a = (Math.PI / 5) * i - Math.PI / 2;
    return `${(r * Math.cos(a)).toFixed(2)} ${(r * Math.sin(a)).toFixed(2)}`;
  });
  return `M${corners.join("L")}Z`;
})();

function element(name, attributes, parent) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
}

function ticks(low, high) {
  const rough = (high - low) / 5;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((lead) => lead * decade).find((size) => size >= rough);
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i++) values.push(i * step);
  return values.map((value) => Number(value.toPrecision(12)));
}

// Numbers arrive as the bytes of a Float32Array in base64, a tenth of their size in JSON.
const decodeNumbers = (text) =>
  new Float32Array(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer);

function formatNumber(value) {
  if (!Number.isFinite(value)) return "not finite";
  const small = value !== 0 && Math.abs(value) < 1e-3;
  return small ? value.toExponential(2) : Number(value.toPrecision(4)).toString();
}

const formatCount = (count) => count.toLocaleString("en-US");

export default function ({ data, parentElement, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const root = find(".path-view");
  const view = (root.view ??= { index: null, timer: 0, atEnd: true });
  const [svg, scrub, play, readout] = ["svg", ".scrub", ".play", ".readout"].map(find);
  const [[xLow, xHigh], [yLow, yHigh]] = data.bounds;

  const toPixels = ([x, y]) => {
    let px = ((x - xLow) / (xHigh - xLow) - 0.5) * BOX.size;
    let py = (0.5 - (y - yLow) / (yHigh - yLow)) * BOX.size;
    const far = Math.max(Math.abs(px), Math.abs(py)) / FAR;
    if (!Number.isFinite(far)) return null;
    if (far > 1) [px, py] = [px / far, py / far];
    return [BOX.left + BOX.size / 2 + px, BOX.top + BOX.size / 2 + py];
  };
  // The event's place on the map: fractions of its width and height, from the top left corner.
  const eventFraction = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      svg.getScreenCTM().inverse(),
    );
    return [(point.x - BOX.left) / BOX.size, (point.y - BOX.top) / BOX.size];
  };
  const toSurface = ([across, down]) => [
    xLow + across * (xHigh - xLow),
    yHigh - down * (yHigh - yLow),
  ];

  // Static parts: picture, axes, marks.
  for (const rect of parentElement.querySelectorAll(".frame, image")) {
    rect.setAttribute("x", BOX.left);
    rect.setAttribute("y", BOX.top);
    rect.setAttribute("width", BOX.size);
    rect.setAttribute("height", BOX.size);
  }
  if (view.image !== data.image) find("image").setAttribute("href", data.image);
  view.image = data.image;
  svg.setAttribute("aria-label", data.description);
  view.resize ??= new ResizeObserver(() => {
    root.style.setProperty("--unit", Math.max(1, WIDTH / svg.clientWidth));
  });
  view.resize.observe(svg);
  const axes = find(".axes");
  axes.replaceChildren();
  const bottom = BOX.top + BOX.size;
  for (const value of ticks(xLow, xHigh)) {
    const [x] = toPixels([value, yLow]);
    element("line", { x1: x, x2: x, y1: bottom, y2: bottom + 5 }, axes);
    element("text", { x, y: bottom + 26, "text-anchor": "middle" }, axes).textContent = value;
  }
  for (const value of ticks(yLow, yHigh)) {
    const [, y] = toPixels([xLow, value]);
    element("line", { x1: BOX.left - 5, x2: BOX.left, y1: y, y2: y }, axes);
    const label = { x: BOX.left - 9, y: y + 4, "text-anchor": "end" };
    element("text", label, axes).textContent = value;
  }
  const middle = BOX.left + BOX.size / 2;
  element("text", { x: middle, y: bottom + 54, "text-anchor": "middle" }, axes).textContent = "x";
  element("text", { x: 8, y: BOX.top + BOX.size / 2 }, axes).textContent = "y";
  const minima = find(".minima");
  minima.replaceChildren();
  for (const minimum of data.minima) {
    const [x, y] = toPixels(minimum);
    const star = element("path", { d: STAR, transform: `translate(${x} ${y})` }, minima);
    element("title", {}, star).textContent = "Global minimum";
  }
  const start = find(".start");
  start.replaceChildren();
  const [startX, startY] = toPixels(data.start);
  const dot = element("circle", { cx: startX, cy: startY, r: 5 }, start);
  element("title", {}, dot).textContent = "Start";

  const arrows = find(".arrows");
  arrows.replaceChildren();
  for (const [i, arrow] of data.arrows.entries()) {
    const [[x1, y1], [x2, y2]] = [toPixels(arrow.from), toPixels(arrow.to)];
    const angle = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
    element("line", { x1, y1, x2, y2, class: "casing" }, arrows);
    element("line", { x1, y1, x2, y2 }, arrows);
    const head = { d: "M4 0L-7 -5V5Z", transform: `translate(${x2} ${y2}) rotate(${angle})` };
    element("path", head, arrows);
    const anchor = x2 < x1 ? "end" : "start";
    const label = { x: x2 + (x2 < x1 ? -8 : 8), y: y2 + 4 + 15 * i, "text-anchor": anchor };
    element("text", label, arrows).textContent = arrow.label;
  }

  // Each trajectory: all of it faint, the part played so far strong, its head a disc.
  const lines = find(".paths");
  const heads = find(".heads");
  lines.replaceChildren();
  heads.replaceChildren();
  const theme = getComputedStyle(root).getPropertyValue("--st-chart-categorical-colors");
  const palette = theme.split(",").map((colour) => colour.trim());
  const trajectories = data.trajectories.map(({ label, slot, points, values, rates }) => {
    const flat = decodeNumbers(points);
    const pairs = Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
    return {
      label,
      slot,
      points: pairs,
      values: decodeNumbers(values),
      rates: decodeNumbers(rates),
    };
  });
  const drawings = trajectories.map((trajectory) => {
    const colour = palette[trajectory.slot % palette.length];
    const pixels = trajectory.points.map(toPixels);
    const end = pixels.indexOf(null);
    const finite = end < 0 ? pixels : pixels.slice(0, end);
    const texts = finite.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
    const line = (kind, stroke) => element("polyline", { class: kind, stroke }, lines);
    line("ahead", colour).setAttribute("points", texts.join(" "));
    return {
      texts,
      finite,
      casing: line("casing", "#fff"),
      done: line("done", colour),
      head: element("circle", { r: 6, fill: colour }, heads),
    };
  });
  const last = Math.max(...trajectories.map(({ points }) => points.length)) - 1;

  const draw = (index) => {
    view.index = index;
    view.atEnd = index === last;
    scrub.value = index;
    drawings.forEach(({ texts, finite, casing, done, head }) => {
      const played = texts.slice(0, index + 1).join(" ");
      casing.setAttribute("points", played);
      done.setAttribute("points", played);
      const [x, y] = finite[Math.min(index, finite.length - 1)];
      head.setAttribute("cx", x);
      head.setAttribute("cy", y);
    });
    const k = data.steps[index];
    const parts = [`step ${formatCount(k)} of ${formatCount(data.steps[last])}`];
    for (const trajectory of trajectories) {
      const i = Math.min(index, trajectory.points.length - 1);
      const name = trajectories.length > 1 ? `${trajectory.label}: ` : "";
      parts.push(`${name}f = ${formatNumber(trajectory.values[i])}`);
      if (trajectories.length === 1) {
        parts.push(`at (${trajectory.points[i].map(formatNumber).join(", ")})`);
        const rate = trajectory.rates[i];
        if (rate !== undefined) parts.push(`learning rate ${formatNumber(rate)}`);
      }
    }
    readout.textContent = parts.join(" · ");
    scrub.setAttribute("aria-valuetext", readout.textContent);
  };
  const labelButton = () => {
    play.textContent = view.timer ? "❚❚ Pause" : "▶ Play";
  };
  const stop = () => {
    clearInterval(view.timer);
    view.timer = 0;
    labelButton();
  };
  // Even a long trajectory plays in about ten seconds, with several points per frame.
  const stride = Math.max(1, Math.round(last / 250));
  // A timer that was started with earlier data continues with these.
  Object.assign(view, { draw, stop, last, stride });

  play.onclick = () => {
    if (view.timer) return stop();
    if (view.index >= view.last) draw(0);
    view.timer = setInterval(() => {
      if (view.index >= view.last) return view.stop();
      view.draw(Math.min(view.index + view.stride, view.last));
    }, FRAME_MS);
    labelButton();
  };
  scrub.max = last;
  scrub.oninput = () => draw(Number(scrub.value));

  const startAt = (fraction) => {
    if (fraction.every((part) => part >= 0 && part <= 1)) {
      setTriggerValue("start", toSurface(fraction));
    }
  };
  svg.onclick = (event) => startAt(eventFraction(event));
  const aim = find(".aim");
  const showAim = (fraction) => {
    view.aim = fraction;
    const [x, y] = fraction;
    const place = `${BOX.left + x * BOX.size} ${BOX.top + y * BOX.size}`;
    aim.setAttribute("transform", `translate(${place})`);
    aim.setAttribute("visibility", "visible");
  };
  svg.onkeydown = (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Enter" && view.aim) startAt(view.aim);
    if (!(event.key in moves)) return;
    event.preventDefault();
    const from = view.aim ?? [
      (startX - BOX.left) / BOX.size,
      (startY - BOX.top) / BOX.size,
    ];
    const size = event.shiftKey ? 0.1 : 0.02;
    showAim(from.map((part, i) => Math.min(1, Math.max(0, part + moves[event.key][i] * size))));
  };
  svg.onblur = () => aim.setAttribute("visibility", "hidden");

  draw(view.atEnd ? last : Math.min(view.index, last));
  labelButton();
  return () => {
    clearInterval(view.timer);
    view.resize.disconnect();
  };
}
