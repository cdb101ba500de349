/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/slmp/slmp.h"

#include "dpi/slmp/words.h"

static const struct slmp_device devices[] = {
#define DEVICE(name, key, code, what, base, ascii, brief) { code, SLMP_##what, SLMP_##name, base, ascii, brief, #name },
#include "dpi/slmp/devices.def"
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
