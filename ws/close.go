package ws

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// MaxReason is the longest reason in bytes that fits a close frame: 125 less the two of the code.
const MaxReason = 123

// CloseError says how a connection ends or has ended. A handler that returns one, wrapped or not, closes its
// connection with it; OnClose gets one that tells what happened.
type CloseError struct {
	// Status is the code sent or received; [StatusNoStatusRcvd] when the peer's close frame had none, and
	// [StatusAbnormalClosure] when there was no close frame.
	Status Status
	// Reason is the text beside the code. When it came from the peer it is the peer's word: quote it before it
	// reaches a log.
	Reason string
}

// Error returns the status and the quoted reason.
func (e CloseError) Error() string {
	if e.Reason == "" {
		return "websocket: closed with " + e.Status.String()
	}
	return "websocket: closed with " + e.Status.String() + ": " + strconv.Quote(e.Reason)
}

// StatusOf returns the status of the first [CloseError] in err's tree, or 0 when there is none.
func StatusOf(err error) Status {
	var ce CloseError
	if errors.As(err, &ce) {
		return ce.Status
	}
	return 0
}

// CutReason returns reason cut to [MaxReason] bytes at the end of a rune, with what is not UTF-8 replaced.
func CutReason(reason string) string {
	valid := make([]byte, 0, min(len(reason), MaxReason))
	for _, r := range reason {
		if len(valid)+utf8.RuneLen(r) > MaxReason {
			break
		}
		valid = utf8.AppendRune(valid, r)
	}
	return string(valid)
}
