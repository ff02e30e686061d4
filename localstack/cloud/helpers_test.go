package cloud

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func depth(t *testing.T, c *Cloud, url string) string {
	t.Helper()
	const name = types.QueueAttributeNameApproximateNumberOfMessages
	out, err := c.Clients().Queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{name},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes[string(name)]
}

// descendants lists the living children of this process, as /proc tells them.
func descendants(t *testing.T) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Fatalf("no /proc: %v", err)
	}
	var out []string
	for _, f := range stats {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has just ended
		}
		end := strings.LastIndexByte(string(text), ')')
		fields := strings.Fields(string(text[end+1:]))
		if fields[0] != "Z" && fields[1] == strconv.Itoa(os.Getpid()) {
			out = append(out, string(text[:end+1]))
		}
	}
	return out
}
