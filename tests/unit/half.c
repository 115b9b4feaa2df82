/** The 16-bit formats: every code, known roundings, and against the definition: no other code is nearer. */
#include "math/half.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct {
    uint16_t (*from_double)(double);
    float (*to_float)(uint16_t);
    float (*round)(double);
    uint16_t infinity;
} half;

static const half halves[] = {{dlg_f16_from_double, dlg_f16_to_float, dlg_round_to_f16, 0x7c00},
                              {dlg_bf16_from_double, dlg_bf16_to_float, dlg_round_to_bf16, 0x7f80}};

static void known_values(void **state)
{
    (void)state;
    assert_true(dlg_f16_to_float(0x3c00) == 1 && dlg_f16_to_float(0xc000) == -2);
    assert_true(dlg_f16_to_float(0x7bff) == 65504 && dlg_f16_to_float(0x0001) == 0x1p-24F);
    assert_true(dlg_f16_to_float(0x03ff) == 0x3ffp-24F && dlg_f16_to_float(0x0400) == 0x1p-14F);
    assert_true(dlg_bf16_to_float(0x3f80) == 1 && dlg_bf16_to_float(0x0001) == 0x1p-133F);
    assert_int_equal(dlg_f16_from_double(0.1), 0x2e66);
    assert_int_equal(dlg_bf16_from_double(0.1), 0x3dcd);
    assert_int_equal(dlg_f16_from_double(0x1p-25), 0x0000); /* half the smallest number: ties to even */
    assert_int_equal(dlg_f16_from_double(0x1.000001p-25), 0x0001);
    assert_int_equal(dlg_f16_from_double(0x1.8p-24), 0x0002); /* a tie upwards */
    /* the largest tie below the normal numbers carries into them */
    assert_int_equal(dlg_f16_from_double(0x1.ffcp-15), 0x0400);
    assert_int_equal(dlg_f16_from_double(-1e300), 0xfbff);
    assert_int_equal(dlg_f16_from_double(65520), 0x7bff); /* IEEE would say infinity */
    assert_int_equal(dlg_bf16_from_double(3.4e38), 0x7f7f);
    assert_int_equal(dlg_f16_from_double(-1e-300), 0x8000);
    assert_int_equal(dlg_f16_from_double(5e-324), 0x0000);
    /* Rounding through float first would tie and go down to even; in one step it goes up. */
    assert_int_equal(dlg_f16_from_double(1 + 0x1p-11 + 0x1p-40), 0x3c01);
}

static void every_code_comes_back(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++)
        for (unsigned code = 0; code <= 0xffff; code++) {
            const float value = halves[h].to_float((uint16_t)code);
            const uint16_t back = halves[h].from_double((double)value);
            if ((code & 0x7fff) > halves[h].infinity) {
                assert_true(isnan(value) && isnan(halves[h].to_float(back)));
            } else {
                assert_int_equal(back, code);
                if ((code & 0x7fff) == halves[h].infinity) assert_true(isinf(value));
            }
        }
}

/** Between neighbours a < b: below the middle goes to a, above it to b, the middle to the even one. Both signs. */
static void ties_and_neighbours(void **state)
{
    (void)state;
    for (size_t h = 0; h < 2; h++)
        for (unsigned code = 0; code + 1 < halves[h].infinity; code++)
            for (int sign = 1; sign >= -1; sign -= 2) {
                const double a = (double)halves[h].to_float((uint16_t)code),
                             b = (double)halves[h].to_float((uint16_t)(code + 1));
                const double middle = (a + b) / 2;
                const unsigned signed_code = code | (sign < 0 ? 0x8000 : 0);
                assert_true(b > a);
                assert_int_equal(halves[h].from_double(sign * nextafter(middle, a)), signed_code);
                assert_int_equal(halves[h].from_double(sign * nextafter(middle, b)), signed_code + 1);
                assert_int_equal(halves[h].from_double(sign * middle), signed_code + (code & 1));
            }
}

static void rounding_twice_changes_nothing(void **state)
{
    (void)state;
    dlg_random random = dlg_random_at(1, 1);
    for (size_t h = 0; h < 2; h++)
        for (int i = 0; i < 20000; i++) {
            const double value = ldexp(dlg_random_uniform(&random) - 0.5, (int)dlg_random_below(&random, 60) - 40);
            const float once = halves[h].round(value);
            assert_true(halves[h].round((double)once) == once);
            assert_true(fabs((double)once - value) <= fabs(value) * (h ? 0x1p-8 : 0x1p-11) + (h ? 0 : 0x1p-25) ||
                        fabs(value) > 65504);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(every_code_comes_back),
        cmocka_unit_test(ties_and_neighbours),
        cmocka_unit_test(rounding_twice_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
