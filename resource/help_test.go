package resource_test

import "time"

func resourceTime(millis int64) time.Time { return time.UnixMilli(millis).UTC() }
