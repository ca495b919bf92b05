"""Function words that carry no subject matter, by language (ISO 639-1), and words that only shape a question."""

from __future__ import annotations


def word_set(lines: str) -> frozenset[str]:
    """The words of a text block."""
    return frozenset(lines.split())


_ENGLISH = """
a about above across after again against all almost along already also although always am among an and another any
anyone anything are aren't around as at away back be became because become becomes been before behind being below
beside besides between beyond both but by came can can't cannot come could couldn't did didn't do does doesn't doing
don't done down due during each either else enough especially etc even ever every everyone everything except far few
first for former from further gave get gets give given gives go goes going gone got had hadn't has hasn't have haven't
having he hence her here hers herself him himself his how however i i'd i'll i'm i've if in indeed instead into is
isn't it it's its itself just keep kept kind last latter least less let like likely made mainly make makes making many
may maybe me mean meanwhile might mine more moreover most mostly much must my myself namely near nearly need neither
never nevertheless next no nobody none nor not nothing now nowhere of off often on once one ones only onto or other
others otherwise ought our ours ourselves out over own per perhaps put quite rather really regarding said same say says
see seem seemed seems seen several shall she should shouldn't since so some somebody someone something sometimes
somewhere still such take taken takes than that that's the their theirs them themselves then there thereby therefore
therein these they they're they've thing things this those though through throughout thus to together too took toward
towards two under until unto up upon us used using usually various very via was wasn't way ways we we're we've well
went were weren't what what's whatever when whence whenever where whereas whereby wherein wherever whether which while
who whoever whole whom whose why will with within without won't would wouldn't yet you you're you've your yours
yourself
"""
_GERMAN = """
aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis bist da damit dann
das dass dein deine dem den denn der des dessen die dies diese diesem diesen dieser dieses doch dort du durch ein eine
einem einen einer eines er es etwas euer für gegen gewesen hab habe haben hat hatte hatten hier hin hinter ich ihm ihn
ihnen ihr ihre ihrem ihren ihrer im in indem ins ist jede jedem jeden jeder jedes jetzt kann kein keine keinem keinen
keiner können könnte man manche mein meine mich mir mit muss müssen nach nicht nichts noch nun nur ob oder ohne sehr
sein seine seinem seinen seiner selbst sich sie sind so solche soll sollte sondern sonst um und uns unser unter über
viel vom von vor war waren was weil welche welchem welchen welcher welches wenn wer werde werden wie wieder will wir
wird wirst wo wollen wurde wurden zu zum zur zwar zwischen
"""
_FRENCH = """
ai alors au aucun aussi autre autres aux avait avant avec avez avoir avons c ce cela ces cet cette ceux chaque ci comme
comment d dans de depuis des donc dont du elle elles en encore entre est et étaient était été être eu eux fait faire il
ils j je l la le les leur leurs lui m ma mais me même mes moi moins mon n ne ni nos notre nous on ont ou où par pas
pendant peu peut peuvent plus pour pourquoi qu quand que quel quelle quelles quels qui s sa sans se selon ses si sont
sous son sur t ta te tes toi ton tous tout toute toutes très tu un une vers vos votre vous y
"""
_SPANISH = """
a al algo algunas algunos ante antes aquel aquella así aún aunque cada casi como con contra cual cuales cuál cuáles cómo
cuando de del desde donde dos el ella ellas ellos en entre era eran es esa esas ese eso esos esta está están estas este
esto estos fue fueron ha había hacia han hasta hay la las le les lo los mas más me mi mientras mis mucho muchos muy nada
ni no nos nosotros nuestra nuestro o os otra otras otro otros para pero poco por porque pues que qué quien quienes se
sea según ser si sí sido sin sino sobre solo son su sus también tan tanto te tiene tienen todas todo todos tras tu un
una unas uno unos y ya yo
"""

STOP_WORDS: dict[str, frozenset[str]] = {
    "en": word_set(_ENGLISH),
    "de": word_set(_GERMAN),
    "fr": word_set(_FRENCH),
    "es": word_set(_SPANISH),
}

QUESTION_WORDS = word_set(
    """
    address analyse analyze answer answers article articles assess compare concerning consider contrast current
    currently define definition definitions describe described details discuss documents evaluate evidence
    examine examples exist exists explain explore facts find findings found gather happen happens identify
    interested investigate know known list main major overview paper papers please possible present provide
    question questions recent recommend reported reports review shown sources studied summarise summarize
    summary tell topic topics understand understood want written
    """
)
"""Words by which a prompt asks rather than says what about. They count only when nothing else is left."""

WEAK_WORDS = word_set(
    """
    affect affected affects alter altered alters associated association available best better big cause caused causes
    common consequence consequences contribute contributes depend depends determine determined determines different
    difference differences difficult effect effective effects factor factors general good great help helps high impact
    impacts important influence influenced influences involve involved involves issue issues large linked literature
    long low matter matters method methods modern new number old people person problem problems related relation
    relations relationship report research result results role short similar small state studies study time today type
    types use useful uses work works
    """
)
"""Words that may belong to the subject, but tell little apart; in a prompt they weigh less."""

_ENGLISH_GENERIC = """
abstract abstracts account address addressed addresses analyse analyze answer answers argue argued argues argument
arguments article articles aspect aspects assess assessment attached attachment attachments basic book books break
breakdown brief briefing briefly bullet bullets central chapter chapters claim claimed claims collection collections
compare compared comparison compress concise conclude concluded concludes conclusion conclusions condense condensed
consider considered contain contained contains content contents contrast contribution contributions core corpus cover
covered covers crucial deal deals dealt describe described describes description detail detailed details digest discover
discovered discovers discuss discussed discusses discussion document documents draw drawn english essence essential
establish established evaluate evidence examine executive explain explained explains explanation extract fact facts file
files find finding findings finds folder following found general generally gist give gives greatest help highlight
highlights idea ideas identify important include included includes indicate indicated indicates information inside
insight insights interesting investigate key know known learn learned learnt lesson lessons library lines list listed
literature long main major material materials mean meaning mention mentioned mentions message messages note notes
noteworthy nutshell offer offered offers outline outlined outlines overall overview page pages paper papers paragraph
paragraphs part parts passage passages pdf pdfs plain please point pointed points present presented presents primary
principal prove proven proves provide provided provides publication publications quick quickly readers recap relevant
report reported reports research result results reveal revealed reveals review reviewed reviews rundown salient section
sections selected selection sentence sentences short show showed shown shows significance significant simple simply
sketch source sources speak state stated statement statements studied studies study subject subjects substance suggest
suggested suggests sum summaries summarise summarised summarises summarising summarize summarized summarizes summarizing
summary summed support supported supports survey synopsis synthesis synthesise synthesize takeaway takeaways talk
talking talks tell telling tells text texts theme themes thesis title titles topic topics understand understood uploaded
view views word words work works write writing written
"""
_GERMAN_GENERIC = """
absatz absätze argumente artikel aufsatz aufsätze aussage aussagen aussagt behandeln behandelt belege belegen belegt
bericht berichte beschreibe beschreiben bitte botschaft botschaften buch bücher datei dateien dokument dokumente
dokumenten einblick ergebnis ergebnisse erkenntnis erkenntnisse erkläre erklären erläutere fasse fassen fazit finden
geben geht gib gibt handeln handelt haupt hauptaussage hauptaussagen hauptergebnis hauptergebnisse hauptpunkte
hauptthemen inhalt inhalte kern kernaussage kernaussagen kernbotschaften kernpunkte knapp kurz kurze kurzer nenne nennen
punkt punkte quelle quellen sagen sagt sammlung satz schlussfolgerung schlussfolgerungen seite seiten stehen steht
studie studien sätze text texte texten thema themen unterlagen wesentlich wesentliche wesentlichen wesentlicher wichtig
wichtige wichtigen wichtiger wichtigste wichtigsten worum worüber wörter zeige zeigen zeigt zentral zentrale zentralen
zusammen zusammenfassen zusammenfassung überblick übersicht
"""
_FRENCH_GENERIC = """
aperçu apprend arguments article articles conclusion conclusions contenu contiennent disent dit document documents donne
donnent données décrire décris ensemble essentiel essentielles explique expliquer faits fichier fichiers grandes idée
idées important importante importantes importants indique informations lignes livre livres message messages montre
montrent page pages paragraphe parle parlent phrase phrases plait plaît point points preuve preuves principal principale
principales principaux présente présentent rapport rapports ressort résultat résultats résume résumer résumé source
sources sujet sujets synthèse texte textes thème thèmes traite traitent trouve vue étude études
"""
_SPANISH_GENERIC = """
archivo archivos argumentos artículo artículos conclusiones conclusión contenido contienen da dan datos describe
describir dice dicen documento documentos esencial estudio estudios evidencia evidencias explica explicar favor fuente
fuentes general hallazgo hallazgos hechos idea ideas importante importantes informe informes libro libros mensaje
mensajes muestra muestran palabras papeles presenta presentan principal principales prueba pruebas punto puntos página
páginas párrafo resultado resultados resume resumen resumir síntesis tema temas texto textos trata tratan visión
"""

GENERIC_WORDS: dict[str, frozenset[str]] = {
    "en": word_set(_ENGLISH_GENERIC),
    "de": word_set(_GERMAN_GENERIC),
    "fr": word_set(_FRENCH_GENERIC),
    "es": word_set(_SPANISH_GENERIC),
}
"""Words that speak of documents and of what documents do, and not of any subject. A prompt of such words alone asks for
an overview; beside a subject they only frame the question."""

ACADEMIC_WORDS = word_set(
    """
    able according achieve achieved aim analysis approach approaches area aspects author authors based better
    case cases change changes chapter colleagues common compared conclude conclusion condition conditions
    considered constant data demonstrate describe described develop developed development different difficult
    discussed early effect effects especially established evidence example examples experiment experiments fact
    factor factors feature finding findings form found four general global good great greater group groups high
    higher idea important improve improved include included includes increase increased indicate information
    introduced involved issue items kinds known large larger later lead leads level levels long low lower main
    material materials mean method methods model models new number observed obtained old order original paper
    part particular parts people period place point possible present presented problem problems procedure
    process produce produced propose proposed provide provided provides purpose question questions rate recent
    reduce reduced relation remain remaining remains report reported require required research result results
    review role same second set seven show showed shown shows significant significantly similar simple single
    six small source special specific studied studies study subject suggest suggested suggests system systems
    term terms test tested tests theory third three time times today total type types use useful uses value
    values view work works world write writing written year years
    """
)
"""Words too general to name a theme."""
