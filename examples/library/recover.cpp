/*
 * The same as recover.c in C++: what a function hands out is freed by its holder, and what goes wrong is thrown.
 * Compile: c++ -std=c++17 recover.cpp -o recover $(pkg-config --cflags --libs dlg-text)
 */
#include <dlg/dlg.h>
#include <iostream>
#include <memory>
#include <stdexcept>

template <auto release> struct releaser {
    template <typename object> void operator()(object *o) const { release(o); }
};

/* The object that make(&object, arguments..., &err) makes. */
template <typename object, auto release, typename maker, typename... arguments>
std::unique_ptr<object, releaser<release>> made(maker make, arguments... given)
{
    object *out = nullptr;
    dlg_error err;
    if (make(&out, given..., &err) != DLG_OK) throw std::runtime_error(err.message);
    return std::unique_ptr<object, releaser<release>>(out);
}

static void check(dlg_status status, const dlg_error &err)
{
    if (status != DLG_OK) throw std::runtime_error(err.message);
}

static void recover(const char *sentence)
{
    dlg_error err;
    check(dlg_machine_start(0, 0, &err), err);
    auto model = made<dlg_model, dlg_model_free>(dlg_model_open, nullptr);
    auto texts = made<dlg_texts, dlg_texts_free>(dlg_texts_create);
    check(dlg_texts_add(texts.get(), sentence, &err), err);
    auto step = made<dlg_truth, dlg_truth_free>(dlg_truth_of_texts, model.get(), texts.get(), nullptr);
    auto gradient =
        made<dlg_gradient, dlg_gradient_free>(dlg_gradient_compute, model.get(), step.get(), 0, nullptr, 0);

    auto attack = made<dlg_attack, dlg_attack_free>(dlg_attack_create, gradient.get(), nullptr);
    check(dlg_attack_run(attack.get(), nullptr, &err), err);
    if (!dlg_attack_is_recovered(attack.get())) std::cout << "only a guess: ";
    for (size_t b = 0; b < dlg_attack_n_sentences(attack.get()); b++)
        if (const char *text = dlg_attack_text(attack.get(), b)) std::cout << text << "\n";
}

int main(int argc, char **argv)
{
    try {
        recover(argc > 1 ? argv[1] : "We invite submissions.");
    } catch (const std::exception &wrong) {
        std::cerr << wrong.what() << "\n";
        return 1;
    }
}
