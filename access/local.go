package access

import (
	"net"
	"net/http"
	"strings"
)

// checkLocal refuses what a web page makes a browser on this machine send to a
// server that asks nobody for a signature: requests from another origin, and
// those under a name that somebody pointed at this machine (DNS rebinding). A
// signature needs neither check: browsers do not have the key.
func checkLocal(r *http.Request, d *dialect) *Error {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	ip := net.ParseIP(host)
	if host != "" && host != "localhost" && !strings.HasSuffix(host, ".localhost") && (ip == nil || !ip.IsLoopback()) {
		return denied(d.denied, "this server asks for no signatures and answers only as localhost, not as %q; use http://127.0.0.1, or turn authentication on", clip(host))
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return denied(d.denied, "this server asks for no signatures and takes no requests from web pages of other origins; turn authentication on for those")
	}
	return nil
}
