// Package openapi pins the tools that check docs/openapi.yaml; see `make openapi`. It
// is a module of its own, so that nothing else depends on them.
package openapi

import _ "github.com/oapi-codegen/runtime" // of the generated client
