//! What each language knows beside its templates: data alone, in the places that [`Tongue`] names.

use super::tongue::{Counted, Hour, Tongue};

pub(super) const ENGLISH: Tongue = Tongue {
    plain: "Our monitoring has detected a problem.",
    nameless: "A component",
    and: |_| "and",
    joins_lengths: false,
    more: Counted { one: "{n} more component", many: "{n} more components" },
    numerals: [
        "none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ],
    servers: Counted {
        one: "One of its {total} servers is affected.",
        many: "{n} of its {total} servers are affected.",
    },
    tests: Counted {
        one: "One of our {total} tests fails.",
        many: "{n} of our {total} tests fail.",
    },
    no_news: "This update had nothing new to say",
    no_news_of: Counted {
        one: "The last update had nothing new to say",
        many: "The last {n} updates had nothing new to say",
    },
    ordinal: english_ordinal,
    units: [
        Counted { one: "{n} day", many: "{n} days" },
        Counted { one: "{n} hour", many: "{n} hours" },
        Counted { one: "{n} minute", many: "{n} minutes" },
        Counted { one: "{n} second", many: "{n} seconds" },
    ],
    no_time: "less than a second",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    first_day: "1",
    date: "{day} {month} {year}",
    moment: "{at} on {date}",
    at: Hour { one: "", others: "" },
    from: Hour { one: "from ", others: "from " },
    to: Hour { one: "to ", others: "to " },
    within_a_day: "{from} {to} on {last}",
    over_days: "{from} on {first} {to} on {last}",
};

pub(super) const PORTUGUESE: Tongue = Tongue {
    plain: "Nosso monitoramento detectou um problema.",
    nameless: "Um componente",
    and: |_| "e",
    joins_lengths: true,
    more: Counted { one: "mais {n} componente", many: "mais {n} componentes" },
    numerals: [
        "nenhum", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez",
        "onze", "doze",
    ],
    servers: Counted {
        one: "Um dos seus {total} servidores apresenta o problema.",
        many: "{n} dos seus {total} servidores apresentam o problema.",
    },
    tests: Counted {
        one: "Um dos nossos {total} testes falha.",
        many: "{n} dos nossos {total} testes falham.",
    },
    no_news: "Esta atualização não trouxe novidades",
    no_news_of: Counted {
        one: "A última atualização não trouxe novidades",
        many: "As últimas {d} atualizações não trouxeram novidades",
    },
    ordinal: |number| format!("{number}ª"),
    units: [
        Counted { one: "{n} dia", many: "{n} dias" },
        Counted { one: "{n} hora", many: "{n} horas" },
        Counted { one: "{n} minuto", many: "{n} minutos" },
        Counted { one: "{n} segundo", many: "{n} segundos" },
    ],
    no_time: "menos de um segundo",
    months: [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
    first_day: "1º",
    date: "{day} de {month} de {year}",
    moment: "{date}, {at}",
    at: Hour { one: "à ", others: "às " },
    from: Hour { one: "da ", others: "das " },
    to: Hour { one: "à ", others: "às " },
    within_a_day: "{from} {to} de {last}",
    over_days: "{from} de {first} {to} de {last}",
};

pub(super) const SPANISH: Tongue = Tongue {
    plain: "Nuestro monitoreo ha detectado un problema.",
    nameless: "Un componente",
    and: |next| if sounds_like_i(next) { "e" } else { "y" },
    joins_lengths: true,
    more: Counted { one: "{n} componente más", many: "{n} componentes más" },
    numerals: [
        "ninguno", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve",
        "diez", "once", "doce",
    ],
    servers: Counted {
        one: "Uno de sus {total} servidores está afectado.",
        many: "{n} de sus {total} servidores están afectados.",
    },
    tests: Counted {
        one: "Una de nuestras {total} pruebas falla.",
        many: "{n} de nuestras {total} pruebas fallan.",
    },
    no_news: "Esta actualización no aportó novedades",
    no_news_of: Counted {
        one: "La última actualización no aportó novedades",
        many: "Las últimas {n} actualizaciones no aportaron novedades",
    },
    ordinal: |number| format!("{number}.ª"),
    units: [
        Counted { one: "{n} día", many: "{n} días" },
        Counted { one: "{n} hora", many: "{n} horas" },
        Counted { one: "{n} minuto", many: "{n} minutos" },
        Counted { one: "{n} segundo", many: "{n} segundos" },
    ],
    no_time: "menos de un segundo",
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    first_day: "1",
    date: "{day} de {month} de {year}",
    moment: "el {date} {at}",
    at: Hour { one: "a la ", others: "a las " },
    from: Hour { one: "de la ", others: "de las " },
    to: Hour { one: "a la ", others: "a las " },
    within_a_day: "{from} {to} del {last}",
    over_days: "{from} del {first} {to} del {last}",
};

pub(super) const FRENCH: Tongue = Tongue {
    plain: "Notre système de surveillance a détecté un problème.",
    nameless: "Un composant",
    and: |_| "et",
    joins_lengths: true,
    more: Counted { one: "{n} autre composant", many: "{n} autres composants" },
    numerals: [
        "aucun", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix",
        "onze", "douze",
    ],
    servers: Counted {
        one: "Un de ses {total} serveurs est touché.",
        many: "{n} de ses {total} serveurs sont touchés.",
    },
    tests: Counted {
        one: "Un de nos {total} tests échoue.",
        many: "{n} de nos {total} tests échouent.",
    },
    no_news: "Cette mise à jour n'apporte rien de nouveau",
    no_news_of: Counted {
        one: "La dernière mise à jour n'apportait rien de nouveau",
        many: "Les {n} dernières mises à jour n'apportaient rien de nouveau",
    },
    ordinal: |number| format!("{number}e"),
    units: [
        Counted { one: "{n} jour", many: "{n} jours" },
        Counted { one: "{n} heure", many: "{n} heures" },
        Counted { one: "{n} minute", many: "{n} minutes" },
        Counted { one: "{n} seconde", many: "{n} secondes" },
    ],
    no_time: "moins d'une seconde",
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    first_day: "1er",
    date: "{day} {month} {year}",
    moment: "le {date} {at}",
    at: Hour { one: "à ", others: "à " },
    from: Hour { one: "de ", others: "de " },
    to: Hour { one: "à ", others: "à " },
    within_a_day: "le {last}, {from} {to}",
    over_days: "du {first} {at} au {last} {to}",
};

/// "third", "21st".
fn english_ordinal(number: u32) -> String {
    const WORDS: [&str; 13] = [
        "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
        "ninth", "tenth", "eleventh", "twelfth",
    ];
    let word = usize::try_from(number).ok().and_then(|number| WORDS.get(number));
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    word.map_or_else(|| format!("{number}{ending}"), |word| (*word).to_owned())
}

/// Whether a Spanish "y" before `word` would be lost in it: "Chat e Inicio", but "Chat y Hielo".
fn sounds_like_i(word: &str) -> bool {
    let mut letters = word.chars().flat_map(char::to_lowercase);
    let first = letters.next();
    let second = match first {
        Some('h') => match letters.next() {
            Some('i' | 'í') => letters.next(),
            _ => return false,
        },
        Some('i' | 'í') => letters.next(),
        _ => return false,
    };
    !matches!(second, Some('a' | 'e' | 'o'))
}
