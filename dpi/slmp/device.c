/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/slmp.h"

#include "dpi/slmp/words.h"

/*
 * Digits in ASCII: X and Y are octal where the CPU module is an FX5. File registers (ZR) are
 * hexadecimal in the manuals of MELSEC-Q and L, and decimal in those of SLMP. The frame does not
 * tell which kind of controller answers, so both readings are judged.
 */
static const struct slmp_device devices[] = {
	{ 0x91, SLMP_BIT, SLMP_SM, 10, 0, "SM", "SM" },	   { 0xa9, SLMP_WORD, SLMP_SD, 10, 0, "SD", "SD" },
	{ 0x9c, SLMP_BIT, SLMP_X, 16, 8, "X", "X" },	   { 0x9d, SLMP_BIT, SLMP_Y, 16, 8, "Y", "Y" },
	{ 0x90, SLMP_BIT, SLMP_M, 10, 0, "M", "M" },	   { 0x92, SLMP_BIT, SLMP_L, 10, 0, "L", "L" },
	{ 0x93, SLMP_BIT, SLMP_F, 10, 0, "F", "F" },	   { 0x94, SLMP_BIT, SLMP_V, 10, 0, "V", "V" },
	{ 0xa0, SLMP_BIT, SLMP_B, 16, 0, "B", "B" },	   { 0xa8, SLMP_WORD, SLMP_D, 10, 0, "D", "D" },
	{ 0xb4, SLMP_WORD, SLMP_W, 16, 0, "W", "W" },	   { 0xc1, SLMP_BIT, SLMP_TS, 10, 0, "TS", "TS" },
	{ 0xc0, SLMP_BIT, SLMP_TC, 10, 0, "TC", "TC" },	   { 0xc2, SLMP_WORD, SLMP_TN, 10, 0, "TN", "TN" },
	{ 0xc7, SLMP_BIT, SLMP_STS, 10, 0, "SS", "STS" },  { 0xc6, SLMP_BIT, SLMP_STC, 10, 0, "SC", "STC" },
	{ 0xc8, SLMP_WORD, SLMP_STN, 10, 0, "SN", "STN" }, { 0xc4, SLMP_BIT, SLMP_CS, 10, 0, "CS", "CS" },
	{ 0xc3, SLMP_BIT, SLMP_CC, 10, 0, "CC", "CC" },	   { 0xc5, SLMP_WORD, SLMP_CN, 10, 0, "CN", "CN" },
	{ 0x51, SLMP_BIT, SLMP_LTS, 10, 0, "", "LTS" },	   { 0x50, SLMP_BIT, SLMP_LTC, 10, 0, "", "LTC" },
	{ 0x52, SLMP_TIMER, SLMP_LTN, 10, 0, "", "LTN" },  { 0x59, SLMP_BIT, SLMP_LSTS, 10, 0, "", "LSTS" },
	{ 0x58, SLMP_BIT, SLMP_LSTC, 10, 0, "", "LSTC" },  { 0x5a, SLMP_TIMER, SLMP_LSTN, 10, 0, "", "LSTN" },
	{ 0x55, SLMP_BIT, SLMP_LCS, 10, 0, "", "LCS" },	   { 0x54, SLMP_BIT, SLMP_LCC, 10, 0, "", "LCC" },
	{ 0x56, SLMP_LONG, SLMP_LCN, 10, 0, "", "LCN" },   { 0xa1, SLMP_BIT, SLMP_SB, 16, 0, "SB", "SB" },
	{ 0xb5, SLMP_WORD, SLMP_SW, 16, 0, "SW", "SW" },   { 0xa2, SLMP_BIT, SLMP_DX, 16, 0, "DX", "DX" },
	{ 0xa3, SLMP_BIT, SLMP_DY, 16, 0, "DY", "DY" },	   { 0x98, SLMP_BIT, SLMP_S, 10, 0, "S", "S" },
	{ 0xcc, SLMP_WORD, SLMP_Z, 10, 0, "Z", "Z" },	   { 0x62, SLMP_LONG, SLMP_LZ, 10, 0, "LZ", "LZ" },
	{ 0xaf, SLMP_WORD, SLMP_R, 10, 0, "R", "R" },	   { 0xb0, SLMP_WORD, SLMP_ZR, 10, 16, "ZR", "ZR" },
	{ 0x2c, SLMP_WORD, SLMP_RD, 10, 0, "RD", "RD" },
};

#define DEVICES (sizeof(devices) / sizeof(devices[0]))

static const struct slmp_device *by_code(uint32_t code)
{
	for (unsigned i = 0; i < DEVICES; i++)
		if (devices[i].code == code)
			return &devices[i];
	return NULL;
}

/* Whether the `n` letters are this name, padded with asterisks or blanks. */
static bool is_named(const char *name, const uint8_t *text, size_t n)
{
	size_t i = 0;

	for (; i < n && name[i] != 0; i++)
		if (text[i] != (uint8_t)name[i])
			return false;
	if (i == 0 || name[i] != 0)
		return false;
	for (; i < n; i++)
		if (text[i] != '*' && text[i] != ' ')
			return false;
	return true;
}

static const struct slmp_device *by_name(const uint8_t *text, size_t n, bool wide)
{
	for (unsigned i = 0; i < DEVICES; i++)
		if (is_named(wide ? devices[i].new : devices[i].old, text, n))
			return &devices[i];
	return NULL;
}

/* Reads a number, in which blanks may replace leading zeros. False: a character is no digit, or the
 * number is longer than 32 bits. */
static bool read_digits(const uint8_t *text, size_t n, uint32_t radix, uint32_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i + 1 < n && text[i] == ' ')
		i++;
	for (; i < n; i++) {
		int digit = slmp_digit(text[i]);

		if (digit < 0 || (uint32_t)digit >= radix)
			return false;
		v = v * radix + (uint32_t)digit;
	}
	*ret = (uint32_t)v;
	return v <= UINT32_MAX;
}

static bool ascii_device(struct slmp_reader *r, bool wide, struct slmp_device_number *ret)
{
	size_t n_code = wide ? 4 : 2, n_number = wide ? 8 : 6;
	const uint8_t *code = bytes_advance(&r->b, n_code), *number = bytes_advance(&r->b, n_number);
	bool first, second;

	if (code == NULL || number == NULL)
		return false;
	ret->device = by_name(code, n_code, wide);
	if (ret->device == NULL)
		return true;
	first = read_digits(number, n_number, ret->device->radix, &ret->number);
	second = ret->device->elsewhere != 0 && read_digits(number, n_number, ret->device->elsewhere, &ret->other);
	if (!second)
		ret->other = ret->number;
	else if (!first)
		ret->number = ret->other;
	return first || second;
}

bool slmp_device_parse(struct slmp_reader *r, bool wide, struct slmp_device_number *ret)
{
	uint32_t code;

	*ret = (struct slmp_device_number){ 0 };
	if (r->ascii)
		return ascii_device(r, wide, ret);
	slmp_number(r, wide ? 4 : 3, &ret->number);
	slmp_number(r, wide ? 2 : 1, &code);
	ret->other = ret->number;
	ret->device = by_code(code);
	return !r->b.failed;
}

uint64_t slmp_device_points(const struct slmp_device *d, uint32_t n)
{
	switch ((enum slmp_kind)d->kind) {
	case SLMP_BIT:
		return (uint64_t)n * 16u;
	case SLMP_WORD:
		return n;
	case SLMP_LONG:
		return (n + 1u) / 2u;
	case SLMP_TIMER:
		break;
	}
	return (n + 3u) / 4u;
}
