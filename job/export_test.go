package job

import "github.com/prometheus/client_golang/prometheus/testutil"

// FailAfter makes steps give up after n failures: the ten of a real manager
// take a minute and a half.
func (m *Manager) FailAfter(n int32) { m.failures = n }

// Starts counts the workflows that Temporal was asked to start.
func (m *Manager) Starts() int { return int(testutil.ToFloat64(m.starts)) }

// WorkflowID is the id of the workflow that works on a row.
var WorkflowID = workflowID
