# Tests: unit programs, fuzz targets, harness targets.
