package batch

// node is the place of one v in one [list]. It is embedded in what it links, so that linking allocates nothing.
type node[V any] struct {
	v          V
	prev, next *node[V]
	in         bool
}

// list is a FIFO from which any node can leave at once. The zero value is empty.
type list[V any] struct {
	front, back *node[V]
}

// push puts n, which is in no list, at the back.
func (l *list[V]) push(n *node[V]) {
	n.prev, n.in = l.back, true
	if l.back == nil {
		l.front = n
	} else {
		l.back.next = n
	}
	l.back = n
}

// remove takes n out; nothing happens when it is not in.
func (l *list[V]) remove(n *node[V]) {
	if !n.in {
		return
	}
	if n.prev == nil {
		l.front = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		l.back = n.prev
	} else {
		n.next.prev = n.prev
	}
	n.prev, n.next, n.in = nil, nil, false
}
