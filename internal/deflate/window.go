package deflate

// window is the end of what one side has sent compressed, so that its next message may refer to it. It grows with what
// was sent, up to its size.
type window struct {
	data []byte
	size int
}

// slide puts p behind what was there.
func (w *window) slide(p []byte) {
	if len(w.data)+len(p) > w.size/2 && cap(w.data) != w.size {
		w.data = append(make([]byte, 0, w.size), w.data...)
	}
	if len(p) >= w.size {
		w.data = append(w.data[:0], p[len(p)-w.size:]...)
		return
	}
	if over := len(w.data) + len(p) - w.size; over > 0 {
		w.data = w.data[:copy(w.data, w.data[over:])]
	}
	w.data = append(w.data, p...)
}
