/* SPDX-License-Identifier: Apache-2.0 */
/* A device's settings in /proc/sys/net: the kernel forgets them when the device leaves its namespace. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/box/netns.h"
#include "appliance/box/was_private.h"

#define VALUE_BYTES 128u

static const char *const folders[] = { "ipv4/conf", "ipv4/neigh", "ipv6/conf", "ipv6/neigh" };

/* One line of it. False where it is not for reading, as a secret that nobody set is not. */
static bool value_read(const char *folder, const char *device, const char *name, char out[VALUE_BYTES])
{
	char path[200];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "/proc/sys/net/%s/%s/%s", folder, device, name) >= (int)sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, out, VALUE_BYTES - 1);
	close(fd);
	if (n <= 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

json_t *was_settings(const char *device)
{
	json_t *all = json_object();

	for (size_t f = 0; f < sizeof(folders) / sizeof(folders[0]); f++) {
		char path[120], key[120], value[VALUE_BYTES];
		const struct dirent *d;
		DIR *dir;

		snprintf(path, sizeof(path), "/proc/sys/net/%s/%.16s", folders[f], device);
		dir = opendir(path);
		while (dir != NULL && (d = readdir(dir)) != NULL) {
			if (d->d_name[0] == '.' || !value_read(folders[f], device, d->d_name, value) ||
			    snprintf(key, sizeof(key), "%s/%s", folders[f], d->d_name) >= (int)sizeof(key))
				continue;
			json_object_set_new(all, key, json_text(value));
		}
		if (dir != NULL)
			closedir(dir);
	}
	return all;
}

/* "ipv4/conf/rp_filter" -> its folder and its own name. */
static bool key_split(const char *key, char folder[32], const char **ret_name)
{
	for (size_t f = 0; f < sizeof(folders) / sizeof(folders[0]); f++) {
		size_t n = strlen(folders[f]);

		if (strncmp(key, folders[f], n) != 0 || key[n] != '/' || key[n + 1] == '.' ||
		    strchr(key + n + 1, '/') != NULL)
			continue;
		snprintf(folder, 32, "%s", folders[f]);
		*ret_name = key + n + 1;
		return true;
	}
	return false;
}

void was_settings_set(const char *device, const json_t *wanted,
		      void (*each)(void *ctx, const char *name, const char *value), void *ctx)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)wanted, key, v)
	{
		char folder[32], now[VALUE_BYTES], path[160];
		const char *name, *value = json_string_value(v);

		/* What this kernel does not have, or no longer shows, was nothing that could be set. */
		if (value == NULL || !key_split(key, folder, &name) || !value_read(folder, device, name, now) ||
		    strcmp(now, value) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%.16s/%.80s", folder, device, name);
		(void)netns_sysctl(path, value, NULL);
		/* One may have been set by another, as a time in milliseconds is by that in ticks. */
		if (!value_read(folder, device, name, now) || strcmp(now, value) != 0)
			each(ctx, key, value);
	}
}
