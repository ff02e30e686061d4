package rights

import (
	"crypto/rand"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
)

// refuse answers in the service's own form, so that an SDK finds the same error
// as on AWS. DynamoDB signs its answers with a checksum; SQS keeps the names of
// its older protocol in a header, where SDKs look first.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
func refuse(w http.ResponseWriter, s service, code, message string) {
	member, status := "Message", http.StatusBadRequest
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("X-Amzn-Requestid", strings.ToUpper(rand.Text()))
	if s == queues {
		member, status = "message", http.StatusForbidden
		h.Set("X-Amzn-Query-Error", strings.TrimSuffix(code, "Exception")+";Sender")
	}
	if s == keys || s == secrets {
		member = "message"
		h.Set("Content-Type", "application/x-amz-json-1.1")
	}
	body, _ := json.Marshal(map[string]string{"__type": "com.amazon.coral.service#" + code, member: message})
	if s == tables || s == streams {
		h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
