package credit

// Waiting is how many submissions wait for the queue's next transaction.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}
