// Package browser holds the tests of the console in a real browser: the real
// binary on a database of its own, and Chromium driven by the scripts in
// web/browser, each a story. A script prints what is wrong as lines that begin
// with FAULT and ends with an exit code; the tests here start and end what it
// needs. Without Node.js, Chromium or a built console they fail: `make test`
// sees to all three.
package browser
