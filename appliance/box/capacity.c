/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/capacity.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An address that nobody has is asked for during three seconds. From the lower threshold on the kernel clears up. */
static const struct {
	const char *file;
	long least;
} settings_of[] = {
	{ "ipv4/neigh/default/gc_thresh3", 65536 },  { "ipv4/neigh/default/gc_thresh2", 32768 },
	{ "ipv6/neigh/default/gc_thresh3", 65536 },  { "ipv6/neigh/default/gc_thresh2", 32768 },
	{ "netfilter/nf_conntrack_buckets", 65536 }, { "netfilter/nf_conntrack_max", 262144 },
};

static void at_least(const char *path, long least)
{
	char text[32] = "";
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0 && strtol(text, NULL, 10) < least) {
		snprintf(text, sizeof(text), "%ld\n", least);
		(void)!pwrite(fd, text, strlen(text), 0); /* refused, it stays as large as it is */
	}
	close(fd);
}

void capacity_raise(const char *settings)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(settings_of) / sizeof(settings_of[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", settings, settings_of[i].file);
		at_least(path, settings_of[i].least);
	}
}
