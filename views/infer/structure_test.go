package infer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestViewsKnowOnlyWhatAllShare holds that no view of the pane holds another one, and that neither the pane nor what
// its views share takes the views' work over.
func TestViewsKnowOnlyWhatAllShare(t *testing.T) {
	const most = 40
	viewTypes := map[string]bool{"ask": true, "scores": true, "confusion": true, "compare": true}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string]int{}
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			switch d := declared.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil {
					methods[typeName(d.Recv.List[0].Type)]++
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					of, isType := spec.(*ast.TypeSpec)
					if !isType || !viewTypes[of.Name.Name] && of.Name.Name != "shared" {
						continue
					}
					seen++
					for _, field := range of.Type.(*ast.StructType).Fields.List {
						if viewTypes[typeName(field.Type)] {
							t.Errorf("%s holds the view %s", of.Name.Name, typeName(field.Type))
						}
					}
				}
			}
		}
	}
	if seen != len(viewTypes)+1 {
		t.Errorf("%d of %d types were found", seen, len(viewTypes)+1)
	}
	for _, name := range []string{"Pane", "shared"} {
		if n := methods[name]; n == 0 || n > most {
			t.Errorf("%s has %d methods, at most %d are wanted: give them to the views", name, n, most)
		}
	}
}

// typeName is the name of a type of the package, or of what a pointer leads to; empty for others.
func typeName(e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if name, ok := e.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}
