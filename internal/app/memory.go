package app

import "runtime/debug"

// room is how much is allocated between two collections at least, in bytes.
// Little stays alive here, so without it the collector would run every few
// megabytes: a hundred times a second under load, a third of all time.
const room = 24 << 20

// makeRoom lets the collector wait for room. The slice is counted as alive and
// never touched, so it takes addresses and no memory, as long as nothing was in
// its place before: call it first of all, and keep the result as long as it is
// to last. Unlike a higher GOGC it does not multiply the memory that password
// hashes hold for a moment.
func makeRoom() []byte { return make([]byte, room) }

// tidy gives back what starting left behind.
func tidy() { debug.FreeOSMemory() }
