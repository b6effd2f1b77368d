package ws

import "fmt"

// Status is the code of a close frame (RFC 6455, section 7.4).
type Status uint16

// The codes that RFC 6455 and its registry define.
const (
	StatusNormalClosure   Status = 1000
	StatusGoingAway       Status = 1001
	StatusProtocolError   Status = 1002
	StatusUnsupportedData Status = 1003
	StatusNoStatusRcvd    Status = 1005 // never sent: the peer's close frame had no code
	StatusAbnormalClosure Status = 1006 // never sent: the connection ended without a close frame
	StatusInvalidPayload  Status = 1007
	StatusPolicyViolation Status = 1008
	StatusMessageTooBig   Status = 1009
	StatusMandatoryExt    Status = 1010
	StatusInternalError   Status = 1011
	StatusServiceRestart  Status = 1012
	StatusTryAgainLater   Status = 1013
	StatusBadGateway      Status = 1014
	StatusTLSHandshake    Status = 1015 // never sent
)

// The codes that wsx defines, in the range for private use.
const (
	StatusAuthFailed         Status = 4001 // do not reconnect
	StatusRoomFull           Status = 4002 // back off
	StatusKicked             Status = 4003 // do not reconnect
	StatusServerShutdown     Status = 4004 // reconnect with jitter
	StatusRateLimited        Status = 4005 // back off
	StatusSlowConsumer       Status = 4006 // reconnect and resume
	StatusTokenExpired       Status = 4007 // refresh the token, then reconnect
	StatusHeartbeatTimeout   Status = 4008 // reconnect
	StatusReplaced           Status = 4009 // do not reconnect
	StatusUnsupportedVersion Status = 4010 // do not reconnect
)

// Sendable reports whether a close frame may carry s: 1000 to 1003, 1007 to 1014 and 3000 to 4999. What may not be
// sent is a protocol error when it arrives.
func (s Status) Sendable() bool {
	switch {
	case s >= 1000 && s <= 1003, s >= 1007 && s <= 1014, s >= 3000 && s <= 4999:
		return true
	default:
		return false
	}
}

// String returns the code with its name, as in "1001 going away".
func (s Status) String() string {
	if name, ok := statusNames[s]; ok {
		return fmt.Sprintf("%d %s", uint16(s), name)
	}
	return fmt.Sprintf("%d", uint16(s))
}

var statusNames = map[Status]string{
	StatusNormalClosure:      "normal closure",
	StatusGoingAway:          "going away",
	StatusProtocolError:      "protocol error",
	StatusUnsupportedData:    "unsupported data",
	StatusNoStatusRcvd:       "no status received",
	StatusAbnormalClosure:    "abnormal closure",
	StatusInvalidPayload:     "invalid payload",
	StatusPolicyViolation:    "policy violation",
	StatusMessageTooBig:      "message too big",
	StatusMandatoryExt:       "mandatory extension",
	StatusInternalError:      "internal error",
	StatusServiceRestart:     "service restart",
	StatusTryAgainLater:      "try again later",
	StatusBadGateway:         "bad gateway",
	StatusTLSHandshake:       "TLS handshake",
	StatusAuthFailed:         "authentication failed",
	StatusRoomFull:           "room full",
	StatusKicked:             "kicked",
	StatusServerShutdown:     "server shutdown",
	StatusRateLimited:        "rate limited",
	StatusSlowConsumer:       "slow consumer",
	StatusTokenExpired:       "token expired",
	StatusHeartbeatTimeout:   "heartbeat timeout",
	StatusReplaced:           "replaced",
	StatusUnsupportedVersion: "protocol version unsupported",
}
