package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// sealed is how a sealed object ends, written compactly.
const sealed = `,"sum":"%s"}`

// ErrSum is the error for a sealed object that is not the one that was sealed.
var ErrSum = errors.New("its own checksum does not fit")

// Sum is the SHA-256 of a text, in hexadecimal digits.
func Sum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Seal is an object as a JSON file, with one field more at its end: "sum", the SHA-256 of the compact object in which
// that field is empty. How the file is indented, and fields that another program does not know, do not matter.
func Seal(object any, indent string) ([]byte, error) {
	plain, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	if len(plain) < 3 || plain[0] != '{' {
		return nil, fmt.Errorf("%.20s is no object with fields", plain)
	}
	plain = plain[:len(plain)-1]
	sum := Sum(fmt.Appendf(plain[:len(plain):len(plain)], sealed, ""))
	var text bytes.Buffer
	err = json.Indent(&text, fmt.Appendf(plain, sealed, sum), "", indent)
	text.WriteByte('\n')
	return text.Bytes(), err
}

// Unseal is the compact object of a sealed file without its sum. Where there is none, and where the text is no JSON,
// it is the text as it is, and is says so. The error is ErrSum.
func Unseal(text []byte) (object []byte, is bool, err error) {
	var compact bytes.Buffer
	if json.Compact(&compact, text) != nil {
		return text, false, nil
	}
	all := compact.Bytes()
	at := len(all) - len(fmt.Sprintf(sealed, Sum(nil)))
	if at < 1 || !bytes.HasPrefix(all[at:], []byte(`,"sum":"`)) {
		return text, false, nil
	}
	object = append(all[:at:at], '}')
	if string(all[at:]) != fmt.Sprintf(sealed, Sum(fmt.Appendf(all[:at:at], sealed, ""))) {
		return object, true, ErrSum
	}
	return object, true, nil
}
