/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler as its users see it: texts in, diagnostics, model and IR out. Pure; all memory in one arena.
 * The table of contents of the folder: load -> scan -> parse -> check -> (prove never) -> cells -> commands -> lower.
 */
#ifndef SEKISHO_POLICY_COMPILE_H
#define SEKISHO_POLICY_COMPILE_H

#include "appliance/base/arena.h"
#include "appliance/base/diag.h"
#include "appliance/base/json.h"
#include "policy/ir.h"
#include "policy/model.h"

/* Where texts come from: a folder on disk (the CLI) or a bundle handed over (the compile role). */
struct policy_loader {
	void *ctx;
	/* `name` is relative and was already confined to the folder. *ret in the arena. 0, or negative errno
	 * (-EFBIG past SOURCE_MAX, -ENOENT). */
	int (*load)(void *ctx, const char *name, struct arena *a, struct source_text *ret);
};

#define SOURCE_MAX (4u << 20)	    /* bytes of one text */
#define COMPILE_BUDGET (192u << 20) /* arena of one run */

struct compilation {
	struct arena *arena; /* borrowed; everything below lives in it */
	struct diags diags;
	struct source_text *sources; /* in order of loading: main, includes, box.cfg */
	size_t n_sources;
	const struct model *model; /* NULL when there were errors before it */
	struct ir *ir;		   /* NULL when there were errors */
};

/* A loader over the folder of `path`; *ret_main is the file's own name. Names in the arena. */
void loader_folder(const char *path, struct arena *a, struct policy_loader *ret, const char **ret_main);

/* Scanner, parser and checks only. True when there is a model without errors. box.cfg beside the main text is read when
 * it exists; without it every interface role named by a zone stands for a device of the same name. */
bool policy_check(struct compilation *c, const struct policy_loader *l, const char *main_name);
/* After policy_check: `never` proofs as errors, then IR. True when c->ir is set. */
bool policy_lower(struct compilation *c);

/* A bundle: the texts of one compilation as bytes, first the main text. For `apply`. Size by the first call with p NULL. */
size_t bundle_encode(const struct source_text *sources, size_t n, uint8_t *p, size_t size);
/* False when malformed. The loader borrows the bytes and the arena. */
bool loader_bundle(struct bytes b, struct arena *a, struct policy_loader *ret, const char **ret_main);

/* ---- what follows from a model or an IR -------------------------------------------------------------------------- */

/* One broken `never`: the chain of conduits, hop by hop. */
struct counterexample {
	const struct model_never *never;
	const struct model_conduit **hops;
	size_t n_hops;
	const struct model_service *service; /* that carries the command on the last hop */
	struct addr source, destination;     /* a concrete packet of the last hop */
	uint8_t l4proto;
	uint16_t port;
	int function;  /* a forbidden function code, or -1: anything goes there */
	bool observed; /* the rows do not allow it, but the last hop's conduit only observes */
	/* Not FAIL_CLOSED: the statement holds but for this, which passes while nobody inspects; FAIL_HOLD: in live sessions. */
	enum failure unattended;
};

/* One counterexample for each statement that does not hold, or that holds only as long as somebody inspects; in the arena. */
size_t prove_nevers(const struct model *m, struct arena *a, struct counterexample **ret);

/* The model evaluator: written from the language reference alone, shares no code with cells.c. */
struct question {
	const char *iif, *oif; /* interface roles; NULL = any (replay: zones from addresses alone) */
	struct addr source, destination;
	uint8_t l4proto; /* 1 and 58 for ICMP */
	uint16_t port;	 /* destination port, or ICMP type << 8 | code */
	uint64_t now;	 /* seconds since 1970 */
};
/* Indexes of all conduits that allow the packet; ascending. `cap` bounds `conduits`; returns how many there are. */
size_t evaluate_model(const struct model *m, const struct question *q, uint32_t *conduits, size_t cap);
/* The IR's answer: the cell that decides, or NULL = denied. */
const struct ir_cell *evaluate_ir(const struct ir *ir, const struct question *q);

/* Renderings; text to `to`. nft: an equivalent ruleset for people, comments where nft cannot say it. */
void render_nft(FILE *to, const struct ir *ir);
json_t *render_json(const struct ir *ir);

/* The workers' image for this id map (sorted by permit id). malloc'd, owned by the caller; NULL when memory is out. */
uint8_t *ir_table_image(const struct ir *ir, const uint32_t *ids, size_t *ret_n);

#endif
