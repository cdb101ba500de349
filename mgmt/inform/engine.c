/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/inform/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/base/atomic_file.h"

#define FILE_NAME "engine"

/* Its first bit says that what follows is of this form; the number is that of Net-SNMP, below which the MIB lies; 5: octets of our choice. */
static const uint8_t head[] = { 0x80, 0x00, 0x1f, 0x88, 0x05 };

int engine_id(int dirfd, uint8_t ret[ENGINE_BYTES], struct err *e)
{
	struct err none = { 0 };
	uint8_t *there = NULL;
	size_t n = 0;
	bool good = file_read(dirfd, FILE_NAME, ENGINE_BYTES, &there, &n, &none) == 0 && n == ENGINE_BYTES &&
		    memcmp(there, head, sizeof(head)) == 0;

	if (good)
		memcpy(ret, there, ENGINE_BYTES);
	free(there);
	if (good)
		return 0;
	memcpy(ret, head, sizeof(head));
	if (getrandom(ret + sizeof(head), ENGINE_BYTES - sizeof(head), 0) != ENGINE_BYTES - sizeof(head))
		return err_set(e, -EIO, "random bytes");
	return atomic_write(dirfd, FILE_NAME, ret, ENGINE_BYTES, e);
}
