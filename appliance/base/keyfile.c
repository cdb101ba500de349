/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"

bool keyfile_number(const char *text, unsigned long most, unsigned long *ret)
{
	char *end;

	*ret = strtoul(text, &end, 10);
	return *text >= '1' && *text <= '9' && *end == '\0' && *ret <= most;
}

static bool line_read(char *at, keyfile_line *line, void *of)
{
	char *value = strchr(at, ' ');

	if (*at == '\0' || *at == '#')
		return true;
	if (value == NULL)
		return false;
	*value++ = '\0';
	return line(of, at, value);
}

int keyfile_read(const char *path, size_t most, keyfile_line *line, void *of, char **ret_text, struct err *e)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int r;

	*ret_text = NULL;
	r = file_read(AT_FDCWD, path, most, &text, &n, e);
	if (r < 0)
		return r;
	*ret_text = (char *)text;
	if (strlen(*ret_text) != n)
		return err_set(e, -EINVAL, "%s", path);
	for (char *rest = *ret_text, *at; (at = strsep(&rest, "\n")) != NULL;)
		if (!line_read(at, line, of))
			return err_set(e, -EINVAL, "%s", path);
	return 0;
}
