// Command gen writes the assembly of package blas with avo. It is a module of its own, so that the program does not
// depend on what only its generator needs. Run it by `go generate` in the parent folder.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	part := flag.String("part", "", "tiles, tiles512, pack, peak, vectors or scan")
	flag.Parse()
	ConstraintExpr("amd64")
	switch *part {
	case "tiles":
		tiles(avx2)
	case "tiles512":
		tiles(avx512)
	case "pack":
		packs()
	case "peak":
		peak()
	case "vectors":
		vectors()
	case "scan":
		scans()
	default:
		log.Fatalf("unknown part %q", *part)
	}
	Generate()
}
