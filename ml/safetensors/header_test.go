package safetensors

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fileOf is a file with that header and so many bytes of data.
func fileOf(header string, data int) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), make([]byte, data)...)
}

func TestHostileHeadersAreRefusedByName(t *testing.T) {
	const good = `"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	cases := []struct {
		name string
		file []byte
		want string
	}{
		{"empty file", nil, "cut off"},
		{"git lfs pointer", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n"),
			"git lfs pull"},
		{"length over the limit", []byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "limit"},
		{"length over the file", append(binary.LittleEndian.AppendUint64(nil, 50), "{}"...), "cut off"},
		{"not an object", fileOf(`[]`, 0), "not a JSON object"},
		{"leading space", fileOf(` {}`, 0), "not a JSON object"},
		{"torn JSON", fileOf(`{"a":{"dtype":"F32"`, 0), `"a"`},
		{"text behind the object", fileOf(`{} x`, 0), "follows"},
		{"second object", fileOf(`{}{}`, 0), "follows"},
		{"name twice", fileOf(`{`+good+`,`+good+`}`, 8), `"a" occurs twice`},
		{"unknown type", fileOf(`{"a":{"dtype":"F7","shape":[2],"data_offsets":[0,8]}}`, 8), `"a": dtype "F7"`},
		{"no shape", fileOf(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "no shape"},
		{"no offsets", fileOf(`{"a":{"dtype":"F32","shape":[0]}}`, 0), "data_offsets holds 0"},
		{"negative side", fileOf(`{"a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}`, 8), "negative side"},
		{"overflowing shape", fileOf(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, 0),
			"too large"},
		{"fractional side", fileOf(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}`, 6), `"a"`},
		{"negative offset", fileOf(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}`, 8), "no range"},
		{"reversed offsets", fileOf(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8), "no range"},
		{"shape and range disagree", fileOf(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8),
			"needs 12 bytes"},
		{"truncated data", fileOf(`{`+good+`}`, 7), "ends at byte 8 of 7"},
		{"data behind the last tensor", fileOf(`{`+good+`}`, 9), "1 bytes follow"},
		{"overlap", fileOf(`{`+good+`,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12),
			`"b" (bytes 4 to 12) overlaps tensor "a"`},
		{"gap", fileOf(`{`+good+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`, 16), "belong to none"},
		{"metadata that is no text", fileOf(`{"__metadata__":{"a":1}}`, 0), "__metadata__"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.safetensors")
			if err := os.WriteFile(path, c.file, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("got error %v, want one that holds the path and %q", err, c.want)
			}
		})
	}
}

func TestPaddedAndEmptyHeadersAreRead(t *testing.T) {
	for _, header := range []string{`{}`, `{}      `, `{"__metadata__":{"format":"pt"}}`} {
		if _, _, _, err := parseHeader(fileOf(header, 0)); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(fileOf(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f.Add(fileOf(`{"__metadata__":{"x":"y"},"b":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}  `, 2))
	f.Add(fileOf(`{"a":{"dtype":"I64","shape":[0,5],"data_offsets":[0,0]}}`, 0))
	f.Fuzz(func(t *testing.T, file []byte) {
		entries, _, start, err := parseHeader(file)
		if err != nil {
			return
		}
		at := start
		for _, e := range entries {
			if start+e.begin != at || e.end < e.begin || start+e.end > int64(len(file)) {
				t.Fatalf("accepted %+v in a file of %d bytes", e, len(file))
			}
			if need, err := byteCount(e.dtype, e.shape); err != nil || need != e.end-e.begin {
				t.Fatalf("accepted %+v, which needs %d bytes (%v)", e, need, err)
			}
			at = start + e.end
		}
		if at != int64(len(file)) {
			t.Fatalf("entries end at %d of %d", at, len(file))
		}
	})
}
