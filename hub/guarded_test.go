package hub_test

import (
	"errors"
	"testing"

	"github.com/fiberwsx/wsx/hub"
)

// TestAPlaceInARoomComesBack has a full room lose its member in each way there is.
func TestAPlaceInARoomComesBack(t *testing.T) {
	for name, end := range map[string]func(*session){
		"leave": func(s *session) { s.handle.Leave("lobby") },
		"end": func(s *session) {
			_ = s.Conn().Close()
			s.gone()
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, hub.Config{RoomCapacity: 1, OnMessage: nothing})
			first, second := connect(t, h), connect(t, h)
			must(t, first.handle.Join("lobby"))
			if err := second.handle.Join("lobby"); !errors.Is(err, hub.ErrRoomFull) {
				t.Errorf("beside a member: %v", err)
			}
			end(first)
			if err := second.handle.Join("lobby"); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}
