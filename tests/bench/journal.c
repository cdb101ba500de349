/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a journal with many records, and measures how long questions about it take. Usage:
 * build/release/bench/journal FOLDER make RECORDS DAYS, then ... ask, or with an index ... ask+i.
 * With "A" in the word, all days are asked for as well.
 *
 * The records are like those of refused requests, spread evenly over the days; segments are packed
 * as the journal role does it. Of 200 assets most are in every file. `rare-asset`, the reason
 * modbus.value and the values are in one file of 50. `no-asset` is in none.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/json.h"
#include "appliance/journal/closed.h"
#include "appliance/journal/search.h"

#define BEGAN 1780000000ull
#define PAGE 1000u

static json_t *record(uint64_t i, uint64_t n, uint64_t days)
{
	uint64_t at = BEGAN * 1000 + i * days * 86400000ull / n, asset = i * 2654435761ull % 200;
	char client[32], name[24], conduit[24];
	bool rare = i / 20000 % 50 == 7 && i % 1000 == 0, valued = i / 20000 % 50 == 7 && i % 2000 == 0;
	json_t *j;

	snprintf(client, sizeof(client), "10.20.%u.%u:%u", (unsigned)(asset % 7), (unsigned)(asset + 1),
		 (unsigned)(40000 + i % 20000));
	snprintf(name, sizeof(name), rare ? "rare-asset" : "crane-%u", (unsigned)asset);
	snprintf(conduit, sizeof(conduit), "conduit-%u", (unsigned)(asset % 40));
	j = json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:s, "
		      "s:i, s:i, s:i}",
		      "time", json_time(at * 1000000ull), "kind", "pdu", "severity",
		      i % 5000 == 0 ? "warning" : "notice", "role", "dpi", "verdict", "deny", "reason",
		      valued ? "modbus.value" : "modbus.function", "client", client, "client_zone", "office",
		      "client_asset", "hmi-1", "server", "10.30.1.10:502", "server_zone", "crane", "server_asset", name,
		      "conduit", conduit, "line", 42, "protocol", "modbus", "function_name", "write_multiple_registers",
		      "function", 16, "space", "holding", "address", (int)(i % 9000), "quantity", 2, "count", 1);
	if (valued)
		json_object_set_new(j, "limit",
				    json_pack("{s:s, s:i}", "what", "value", "wrote", (int)(i / 1000 % 1000)));
	return j;
}

static double now(void)
{
	return (double)clock_mono().ns / 1e9;
}

static void pack_all(struct journal *j)
{
	struct pack *p = NULL;
	struct err e = { 0 };
	int r;

	while ((r = pack_step(&p, j->dirfd, j->first, &e)) > 0)
		;
	if (r < 0)
		fprintf(stderr, "%s\n", e.text);
}

static const uint8_t key[INDEX_KEY] = { 1 };

static void index_all(struct journal *j)
{
	struct index *p = NULL;
	uint64_t below = UINT64_MAX;
	double began = now();
	struct err e = { 0 };
	int r;

	while ((r = index_step(&p, j->dirfd, key, j->first, &below, &e)) > 0)
		;
	printf("indexed in %.1f s %s\n", now() - began, r < 0 ? e.text : "");
}

static void make(struct journal *j, uint64_t n, uint64_t days)
{
	double began = now(), packing = 0;
	uint64_t first = 0;
	struct err e = { 0 };

	for (uint64_t i = 0; i < n; i++) {
		if (journal_append(j, record(i, n, days), &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			exit(1);
		}
		if (j->first != first) {
			double at = now();

			pack_all(j);
			packing += now() - at;
			first = j->first;
		}
	}
	journal_sync(j, &e);
	printf("%llu records: written in %.1f s, packed in %.1f s\n", (unsigned long long)n, now() - began - packing,
	       packing);
}

/* As `sekisho events` asks: page by page, to the end. */
static void ask(struct journal *j, const char *what, uint64_t since, enum event_filter_key by, const char *text)
{
	struct event_filter asked = { 0 };
	struct line_filter filter;
	uint64_t after = 0, next = 0, found = 0, pages = 0;
	json_t *time = json_time(since * 1000000000ull), *list;
	struct err e = { 0 };
	double began = now();

	if (since != 0)
		event_filter_set(&asked, FILTER_SINCE, json_string_value(time));
	event_filter_set(&asked, by, text);
	json_decref(time);
	line_filter_make(&asked, &filter);
	for (;; after = next) {
		list = journal_read(j, after, PAGE, &filter, NULL, &next, &e);
		found += json_array_size(list);
		pages++;
		json_decref(list);
		if (list == NULL || next == after)
			break;
	}
	printf("%-28s %8.3f s  %llu records, %llu answers\n", what, now() - began, (unsigned long long)found,
	       (unsigned long long)pages);
}

int main(int argc, char **argv)
{
	struct journal_recovery found;
	struct err e = { 0 };
	struct journal j;
	uint64_t n, days;
	int fd;

	if (argc != 5)
		return 2;
	n = strtoull(argv[3], NULL, 10);
	days = strtoull(argv[4], NULL, 10);
	mkdir(argv[1], 0700);
	fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || journal_open(fd, &j, &found, &e) < 0)
		return 1;
	if (strcmp(argv[2], "make") == 0) {
		make(&j, n, days);
		return 0;
	}
	if (strchr(argv[2], 'i') != NULL) {
		index_all(&j);
		j.index_key = key;
	}
	for (int i = 0; i < 3; i++) {
		uint64_t end = BEGAN + days * 86400;

		ask(&j, "last day, no such asset", end - 86400, FILTER_ASSET, "no-asset");
		ask(&j, "last day, a rare asset", end - 86400, FILTER_ASSET, "rare-asset");
		ask(&j, "last day, one asset of 200", end - 86400, FILTER_ASSET, "crane-17");
		if (strchr(argv[2], 'A') != NULL) {
			ask(&j, "all, no such asset", 0, FILTER_ASSET, "no-asset");
			ask(&j, "all, a rare asset", 0, FILTER_ASSET, "rare-asset");
			ask(&j, "all, no such reason", 0, FILTER_REASON, "spoofed");
			ask(&j, "all, a rare reason", 0, FILTER_REASON, "modbus.value");
			ask(&j, "all, no such command", 0, FILTER_COMMAND, "read_coils,5");
			ask(&j, "all, no such class", 0, FILTER_COMMAND, "program");
			ask(&j, "all, a rare value", 0, FILTER_VALUE, "150-999");
			ask(&j, "all, no such value", 0, FILTER_VALUE, "70000");
			ask(&j, "all, before it began", 0, FILTER_UNTIL, "2026-01-01T00:00:00");
			ask(&j, "all, every record", 0, FILTER_COMMAND, "write");
		}
	}
	return 0;
}
