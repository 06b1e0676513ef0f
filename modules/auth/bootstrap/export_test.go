package bootstrap

// Ended returns a channel that is closed when the bootstrap has nothing more to do.
func Ended(b *Bootstrap) <-chan struct{} { return b.ended }
