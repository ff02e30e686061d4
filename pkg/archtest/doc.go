// Package archtest decides which package may know which: the arrow of imports
// points inward, from functions to edges to use cases to pure rules, and what
// makes a rule hard to test (a clock, chance, a network) stays at the rim. It
// decides too that a function's role allows what the function is wired to and
// nothing else.
//
// It holds tests alone; each failure says why the import or the right is
// forbidden. Start with TestImports and TestRights.
package archtest
