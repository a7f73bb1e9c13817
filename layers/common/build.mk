# Builds the layer into $(ARTIFACTS_DIR). SAM runs this on a copy of layers/common/python, through the
# Makefile of the architecture wanted (arm64/ or x86_64/), which sets PLATFORM.
#
# The wheels are those of the Lambda machine, not of this one. Bytecode is compiled here, because a function's
# disk is read-only, and with unchecked hashes, because the dates of the files are lost on the way.

PYTHON ?= python3.13
SITE := $(ARTIFACTS_DIR)/python

.PHONY: build-CommonLayer
build-CommonLayer:
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --target "$(SITE)" \
		--requirement requirements.txt --only-binary=:all: \
		--platform $(PLATFORM) --implementation cp --python-version 3.13
	@rm -rf "$(SITE)/bin"
	@find "$(SITE)" -type d -name tests -prune -exec rm -rf {} +
	@cp -R pointbook "$(SITE)/pointbook"
	@find "$(SITE)/pointbook" -name __pycache__ -type d -prune -exec rm -rf {} +
	@$(PYTHON) -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p /opt "$(SITE)"
