package hub

// Handler handles a message, or an event.
type Handler func(c *Conn, e Event) error

// Use puts a layer around every handler of messages, OnMessage or the events', whenever those are registered:
//
//	h.Use(func(next hub.Handler) hub.Handler {
//		return func(c *hub.Conn, e hub.Event) error {
//			start := time.Now()
//			err := next(c, e)
//			slog.Info("handled", "event", e.Name, "took", time.Since(start), "error", err)
//			return err
//		}
//	})
//
// The first layer is the outermost, as in Fiber. A layer that returns without calling next ends the matter, and its
// error counts as the handler's; a body that is refused is an [EventError] from next. What is no event, or an unknown
// one, does not come here, and neither do answers. next is called for the event that the layer got, with no other one.
// Use panics beside OnBatch and OnConn, with nil, and once the hub has had a connection.
func (h *Hub) Use(layer func(next Handler) Handler) {
	if layer == nil {
		panic("hub: Use needs a layer: func(next hub.Handler) hub.Handler { … }")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.typed.checkLocked(h, "Use")
	h.typed.layers = append(h.typed.layers, layer)
	h.typed.composeLocked(h)
}
