/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/fare.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"

#define BACK_OFF_S 5u
#define BACK_OFF_MOST_S 300u
#define CREDENTIAL_MOST 1024u
#define SECOND 1000000000ull

static uint64_t up_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec + 1; /* 0 means no time */
}

uint64_t fare_wall_s(void)
{
	return clock_wall_ns() / SECOND;
}

bool fare_due(const struct fare *f)
{
	return up_s() >= f->next_s;
}

void fare_failed(struct fare *f, const char *why)
{
	if (f->failing_s == 0 || strcmp(f->why, why) != 0)
		fprintf(stderr, "%s: %s\n", f->program, why);
	if (f->failing_s == 0)
		f->failing_s = up_s();
	snprintf(f->why, sizeof(f->why), "%s", why);
	f->back_off_s = f->back_off_s == 0 ? BACK_OFF_S : f->back_off_s * 2;
	if (f->back_off_s > BACK_OFF_MOST_S)
		f->back_off_s = BACK_OFF_MOST_S;
	f->next_s = up_s() + f->back_off_s;
}

void fare_well(struct fare *f)
{
	f->failing_s = f->back_off_s = 0;
}

void fare_kept(struct fare *f, const char *why_not)
{
	if (why_not == NULL) {
		f->unsaved_s = 0;
		return;
	}
	if (f->unsaved_s == 0 || strcmp(f->unsaved, why_not) != 0)
		fprintf(stderr, "%s: %s\n", f->program, why_not);
	if (f->unsaved_s == 0)
		f->unsaved_s = up_s();
	snprintf(f->unsaved, sizeof(f->unsaved), "%s", why_not);
}

void fare_put_down(const struct fare *f, int dirfd, const struct addr *of, uint16_t port, const struct ledger *l)
{
	const uint64_t since_s = f->failing_s != 0 ? f->failing_s : f->unsaved_s;
	const char *said = f->failing_s != 0 ? f->why : f->unsaved;
	char text[400], address[ADDR_TEXT], why[FARE_WHY], since[24] = "-";
	struct err e = { 0 };
	int size;

	addr_text(of, address);
	for (size_t i = 0; i < sizeof(why); i++)
		why[i] = said[i] >= ' ' && said[i] <= '~' ? said[i] : (char)(said[i] == '\0' ? '\0' : '?');
	if (since_s != 0)
		snprintf(since, sizeof(since), "%llu", (unsigned long long)(since_s - 1));
	size = snprintf(
		text, sizeof(text), "at %llu\nof %s %u\nstate %s\nsince %s\nwaiting %zu\ndropped %llu\nwhy %s\n",
		(unsigned long long)(up_s() - 1), address, (unsigned)port, f->failing_s != 0 ? "failing" : "good",
		since, ledger_waiting(l), (unsigned long long)ledger_dropped(l), since_s != 0 ? why : "-");
	if (size <= 0 || (size_t)size >= sizeof(text) || atomic_write(dirfd, "state", text, (size_t)size, &e) < 0)
		fprintf(stderr, "%s: %s\n", f->program, e.text);
}

int fare_folder(const char *variable)
{
	const char *path = getenv(variable);

	return path != NULL ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

void fare_credential(const char *file, unsigned line, char *out, size_t size)
{
	int fd = fare_folder("CREDENTIALS_DIRECTORY");
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t all = 0;

	*out = '\0';
	if (fd < 0)
		return;
	if (file_read(fd, file, CREDENTIAL_MOST, &text, &all, &e) == 0) {
		const char *at = (const char *)text;
		size_t n;

		for (; line > 0; line--) {
			at += strcspn(at, "\n");
			at += *at == '\n';
		}
		n = strcspn(at, "\r\n");
		if (n < size && (n != 1 || *at != '-')) {
			memcpy(out, at, n);
			out[n] = '\0';
		}
		explicit_bzero(text, all);
	}
	free(text);
	close(fd);
}
