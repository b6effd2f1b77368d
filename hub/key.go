package hub

// Key names a value of type T that handlers keep with a connection. Make one a value with [NewKey], in a package
// variable.
type Key[T any] struct{ name *string }

// NewKey returns a key that is equal to no other; the name is for people.
func NewKey[T any](name string) Key[T] { return Key[T]{name: &name} }

// String returns the name.
func (k Key[T]) String() string {
	if k.name == nil {
		return ""
	}
	return *k.name
}

// Set keeps v with c. It may be called at any time, from any goroutine.
func (k Key[T]) Set(c *Conn, v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil {
		c.values = make(map[any]any)
	}
	c.values[k] = v
}

// Get returns what was set, or the zero value and false.
func (k Key[T]) Get(c *Conn) (v T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok = c.values[k].(T)
	return v, ok
}
