// The types of vendor/uplot.js.
export { default } from '../node_modules/uplot/dist/uPlot'
