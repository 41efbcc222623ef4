package credit

// Waiting is how many submissions wait for the queue's next transaction.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// SetPart changes how many rows a part of a check has, and how many ids a search
// for strays, until the test ends.
func SetPart(rows int64) (back func()) {
	part, ids := maxPart, strayIDs
	maxPart, strayIDs = rows, rows
	return func() { maxPart, strayIDs = part, ids }
}

// Stray says which check for strays a statement is, or "".
func Stray(query string) string {
	for code, q := range strayRows {
		if q == query {
			return code
		}
	}
	return ""
}

// Strays is how many such checks there are.
var Strays = len(strayRows)

// The tests read windows so small that they often look beyond.
func init() { lotWindow = 2 }
