package credit

// SetPart changes how many rows a part of a check has, until the test ends.
func SetPart(rows int64) (back func()) {
	before := maxPart
	maxPart = rows
	return func() { maxPart = before }
}
