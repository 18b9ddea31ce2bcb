// Draws every plot of the page from the JSON beside it.
const narrow = window.innerWidth < 640;
const webgl = document.createElement("canvas").getContext("webgl") !== null;
for (const place of document.querySelectorAll(".plot")) {
  const { data, layout } = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  for (const trace of data) {
    if (trace.type === "scattergl" && !webgl) trace.type = "scatter";
  }
  if (narrow) {
    layout.font.size = 11;
    layout.margin.l = 44;
    layout.margin.r = 8;
  }
  Plotly.newPlot(place, data, layout, {
    responsive: true,
    displaylogo: false,
    displayModeBar: narrow ? false : "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  });
}
