/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/other.h"

#include "dpi/slmp/frame.h"
#include "dpi/slmp/words.h"

#define SHORT_MIN 4u /* bytes of the shortest frame */
#define PC_OWN 0xffu /* the station itself */

/* Where a device's number is, in bytes of the frame. */
enum { NAMES_NONE = 0, NAMED_FIRST = 4, NAMED_COUNTED = 6 };

/* Subheaders with the command and subcommand that have the same effect. A subheader without one is
 * reported by its own number. */
static const struct {
	uint8_t subheader, device;
	uint32_t service;
} others[] = {
	{ 0x00, NAMED_FIRST, (uint32_t)SLMP_BATCH_READ << 16 | 1 },
	{ 0x01, NAMED_FIRST, (uint32_t)SLMP_BATCH_READ << 16 },
	{ 0x02, NAMED_FIRST, (uint32_t)SLMP_BATCH_WRITE << 16 | 1 },
	{ 0x03, NAMED_FIRST, (uint32_t)SLMP_BATCH_WRITE << 16 },
	{ 0x04, NAMED_COUNTED, (uint32_t)SLMP_RANDOM_WRITE << 16 | 1 },
	{ 0x05, NAMED_COUNTED, (uint32_t)SLMP_RANDOM_WRITE << 16 },
	{ 0x06, NAMED_COUNTED, (uint32_t)SLMP_MONITOR_REGISTER << 16 | 1 },
	{ 0x07, NAMED_COUNTED, (uint32_t)SLMP_MONITOR_REGISTER << 16 },
	{ 0x08, NAMES_NONE, (uint32_t)SLMP_MONITOR << 16 },
	{ 0x09, NAMES_NONE, (uint32_t)SLMP_MONITOR << 16 },
	{ 0x0e, NAMES_NONE, (uint32_t)SLMP_MODULE_READ << 16 },
	{ 0x0f, NAMES_NONE, (uint32_t)SLMP_MODULE_WRITE << 16 },
	{ 0x13, NAMES_NONE, (uint32_t)SLMP_RUN << 16 },
	{ 0x14, NAMES_NONE, (uint32_t)SLMP_STOP << 16 },
	{ 0x15, NAMES_NONE, (uint32_t)SLMP_TYPE_NAME << 16 },
	{ 0x16, NAMES_NONE, (uint32_t)SLMP_SELF_TEST << 16 },
	/* five for extended file registers: read, write, write at random */
	{ 0x17, NAMES_NONE, 0x17u << 16 },
	{ 0x18, NAMES_NONE, 0x18u << 16 },
	{ 0x19, NAMES_NONE, 0x19u << 16 },
	{ 0x3b, NAMES_NONE, 0x3bu << 16 }, /* read directly */
	{ 0x3c, NAMES_NONE, 0x3cu << 16 }, /* write directly */
	{ 0x60, NAMES_NONE, 0x60u << 16 }, /* a fixed buffer */
	{ 0x61, NAMES_NONE, 0x61u << 16 }, /* a buffer with random access: read */
	{ 0x62, NAMES_NONE, 0x62u << 16 }, /* a buffer with random access: write */
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

static bool is_buffer(uint8_t subheader)
{
	return subheader >= 0x60;
}

static int pair(const uint8_t *p)
{
	int high = slmp_digit(p[0]), low = slmp_digit(p[1]);

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Whether these are a letter and a letter or a blank. */
static bool is_code(int letter, int second)
{
	return letter >= 'A' && letter <= 'Z' && (second == ' ' || second == 'N' || second == 'S' || second == 'C');
}

/* Device numbers are limited to 16 bits: otherwise any text of digits would contain one. */
bool slmp_other_names(const uint8_t *p, size_t left, bool ascii, uint32_t *ret_service)
{
	int subheader = left < SLMP_OTHER_MIN * (ascii ? 2u : 1u) ? -1 : ascii ? pair(p) : p[0];
	size_t at;

	if (subheader < 0 || subheader > 7)
		return false;
	at = others[subheader].device;
	*ret_service = others[subheader].service;
	if (ascii)
		return is_code(pair(p + 2 * at), pair(p + 2 * at + 2)) && pair(p + 2 * at + 4) == 0 &&
		       pair(p + 2 * at + 6) == 0;
	return p[at + 2] == 0 && p[at + 3] == 0 && is_code(p[at + 5], p[at + 4]);
}

bool slmp_other_begins(struct bytes b, uint32_t *ret_service)
{
	for (unsigned ascii = 0; ascii < 2; ascii++) {
		int subheader, second;

		if (slmp_other_names(b.p, b.left, ascii != 0, ret_service))
			return true;
		if (b.left < SHORT_MIN << ascii)
			continue;
		subheader = ascii != 0 ? pair(b.p) : b.p[0];
		second = ascii != 0 ? pair(b.p + 2) : b.p[1];
		for (size_t i = 0; i < OTHERS; i++)
			if (others[i].subheader == subheader && others[i].device == NAMES_NONE &&
			    second == (is_buffer(others[i].subheader) ? 0 : (int)PC_OWN)) {
				*ret_service = others[i].service;
				return true;
			}
	}
	return false;
}
