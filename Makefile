# What one does with Noroshi's source, one word each. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help setup build demo test bench lint format fuzz docs clean

help: ## list these words
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what building, running and testing need (Debian, Ubuntu)
	scripts/setup

build: ## build the release program: .build/release/noroshi
	swift build -c release --product noroshi

demo: ## build, read real captures, and leave the portal running on 127.0.0.1:8480
	scripts/demo

test: ## run every test
	scripts/setup
	scripts/test

bench: ## measure speed and memory beside the peers
	scripts/setup
	scripts/bench

lint: ## check layout, lengths and words
	scripts/lint

format: ## lay the Swift sources out
	swift format --in-place --parallel --recursive --configuration .swift-format \
		Package.swift Sources Tests Fuzz

fuzz: ## run every fuzz target for a minute
	scripts/fuzz

docs: build ## make docs/configuration.md from the program
	.build/release/noroshi config reference > docs/configuration.md

clean: ## remove what was built, and the demonstration's data
	rm -rf .build demo-data
