/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cost of a PDU for an enforcer, in instructions as callgrind counts them. It counts only
 * `measured`: framing, parsing, judging, and remembering what the answer must be. There is one
 * program for each protocol, with the desk of its unit tests:
 *
 *   pdu_NAME list                          one exchange in each line: its name, bytes of the
 *                                          request, bytes of the answer
 *   pdu_NAME EXCHANGE request|answer MORE  judges it REPEATS times in a warm session. MORE rows
 *                                          with the same codes and other addresses stand before
 *                                          the row that allows it.
 *
 * The including file defines DESK_ENFORCER and includes its desk, then defines `rows`, `begin` and
 * `exchanges`.
 */
#ifndef SEKISHO_BENCH_PDU_H
#define SEKISHO_BENCH_PDU_H

#include <stdio.h>

#define REPEATS 100
#define WARM 3
#define EXCHANGES 8
#define SAID_MAX 1024

struct said {
	uint8_t b[SAID_MAX];
	size_t n;
};

struct exchange {
	const char *name;
	struct said request, answer;
};

/* sets the policy: `more` rows that do not fit, then the row that allows */
static void rows(struct desk *d, unsigned more);
static void begin(struct desk *d); /* begins a session for the exchanges */
/* Set by `begin` for protocols with numbered messages: writes the next number into one. */
static void (*numbered)(enum direction dir, struct said *s);
static size_t exchanges(struct exchange ret[EXCHANGES]);

/* Rows that differ only in their place: `fill` fills each row, and `elsewhere` moves all but the
 * last one to another place. */
static inline void rows_alike(struct desk *d, unsigned more,
			      void (*fill)(struct desk *d, struct command_row *row, bool elsewhere))
{
	struct command_row *row = desk_row(d);

	for (unsigned k = 0; k < more; k++) {
		fill(d, row, true);
		row->values = desk_ranges(d, (uint32_t[]){ 0, 1000 }, 1);
		row = desk_more(d, k + 1, 200 + k, false);
	}
	fill(d, row, false);
	row->values = desk_ranges(d, (uint32_t[]){ 0, 1000 }, 1);
}

static inline struct said said_of(const void *p, size_t n)
{
	struct said s = { .n = n };

	if (n > sizeof(s.b))
		abort();
	memcpy(s.b, p, n);
	return s;
}

static inline void judge_said(struct desk *d, enum direction dir, const struct said *s)
{
	static struct judge_room room;
	struct parsed parsed;
	size_t len = 0;

	if (DESK_ENFORCER.frame(d->state, dir, bytes_of(s->b, s->n), &len) != FRAME_WHOLE || len != s->n)
		abort();
	judge_pdu(&DESK_ENFORCER, d->state, dir, bytes_of(s->b, s->n), &d->table, &d->permit, &room, &parsed, &d->p);
}

static __attribute__((noinline)) void measured(struct desk *d, enum direction dir, const struct said *s)
{
	judge_said(d, dir, s);
}

static void say_one(struct desk *d, enum direction dir, struct said *s, bool counted)
{
	if (numbered != NULL)
		numbered(dir, s);
	if (counted)
		measured(d, dir, s);
	else
		judge_said(d, dir, s);
	if (!d->p.allowed) {
		fprintf(stderr, "pdu: refused for reason %d\n", d->p.reason);
		exit(3);
	}
}

int main(int argc, char **argv)
{
	static struct exchange all[EXCHANGES];
	static struct desk d;
	size_t n = exchanges(all);

	for (size_t i = 0; i < n; i++) {
		bool request = argc == 4 && strcmp(argv[2], "request") == 0;

		if (argc == 2)
			printf("%s\t%zu\t%zu\n", all[i].name, all[i].request.n, all[i].answer.n);
		if (argc != 4 || strcmp(argv[1], all[i].name) != 0)
			continue;
		rows(&d, (unsigned)atoi(argv[3]));
		begin(&d);
		for (int k = -WARM; k < REPEATS; k++) {
			say_one(&d, DIR_C2S, &all[i].request, k >= 0 && request);
			say_one(&d, DIR_S2C, &all[i].answer, k >= 0 && !request);
		}
		return 0;
	}
	return argc == 2 ? 0 : 2;
}

#endif
