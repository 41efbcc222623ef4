package credit

// Waiting is how many submissions wait for the queue's next transaction.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// SetPart changes how many rows a part of a check has, until the test ends.
func SetPart(rows int64) (back func()) {
	before := maxPart
	maxPart = rows
	return func() { maxPart = before }
}
