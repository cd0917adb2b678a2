package machine

import "os"

// Memory is how many bytes this process may have: those of the machine, or of
// its control group (container, systemd unit) if that has fewer; 0 where that
// cannot be told.
func Memory() int64 { return within(os.DirFS("/")) }
