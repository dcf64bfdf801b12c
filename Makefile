.PHONY: help demo test test-slow chaos check bench docs train format clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Start the local Discord, the bot and the artist; open the URL it prints
	@python3 bootstrap.py demo

test: ## Run the tests (under 10 minutes)
	@python3 bootstrap.py test

test-slow: ## Run the slow tests: browser walk, short chaos, picture properties, training
	@python3 bootstrap.py test-slow

chaos: ## Break things under load for ten minutes; ARGS="--kills 200 --seed 7" says what else
	@python3 bootstrap.py chaos $(ARGS)

check: ## Check format, lint, imports and types
	@python3 bootstrap.py check

bench: ## Measure engine, queue, parser and bot
	@python3 bootstrap.py bench

docs: ## Write docs/parameters.md and draw its pictures with the embedded model (some minutes)
	@python3 bootstrap.py docs

train: ## Train the embedded model again (long)
	@python3 bootstrap.py train

format: ## Format the code and apply safe lint fixes
	@python3 bootstrap.py format

clean: ## Remove the environment and caches; the demo's data stays in .journeyman
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov .coverage
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
