"""Pairs of findings as two sessions might state them, judged by hand: the same, opposed, or different.

The rules of `worker/engines/synthesis/meaning.py` were made with `LEARN` in view. `JUDGE` was written when they stood,
and they were not changed for it.
"""

from __future__ import annotations

SAME, OPPOSED, DIFFERENT = "same", "opposed", "different"

Pair = tuple[str, str, str]

LEARN: tuple[Pair, ...] = (
    (
        SAME,
        "Spaced practice improves the long-term retention of vocabulary.",
        "Long-term retention of vocabulary was improved by spaced practice.",
    ),
    (
        SAME,
        "Urban trees lower the air temperature of streets by about 2 °C in summer.",
        "In summer, street air temperature is reduced by roughly 2 °C where there are urban trees.",
    ),
    (
        SAME,
        "Daily aspirin reduced the risk of colorectal cancer in adults over fifty.",
        "Among adults over fifty, the risk of colorectal cancer was lower with daily aspirin.",
    ),
    (
        SAME,
        "Ocean uptake of carbon dioxide lowers the pH of sea water.",
        "The pH of sea water decreases because the ocean takes up carbon dioxide.",
    ),
    (
        SAME,
        "Sleep deprivation impairs working memory in shift workers.",
        "Shift workers deprived of sleep show impaired working memory.",
    ),
    (
        SAME,
        "Peer tutoring raises mathematics scores of secondary school pupils.",
        "Secondary school pupils have higher mathematics scores after peer tutoring.",
    ),
    (
        OPPOSED,
        "Vitamin D supplements reduce the incidence of falls in older people.",
        "Vitamin D supplements do not reduce the incidence of falls in older people.",
    ),
    (
        OPPOSED,
        "Minimum wage rises decrease employment among teenagers.",
        "Among teenagers, employment increases with minimum wage rises.",
    ),
    (
        OPPOSED,
        "Nitrogen fertiliser increases soil carbon stocks in grassland.",
        "In grassland, soil carbon stocks are reduced by nitrogen fertiliser.",
    ),
    (
        OPPOSED,
        "The vaccine was 95 % effective against severe disease in the trial.",
        "The vaccine was 62 % effective against severe disease in the trial.",
    ),
    (
        DIFFERENT,
        "Spaced practice improves the long-term retention of vocabulary.",
        "Spaced practice takes more time to plan than massed practice.",
    ),
    (
        DIFFERENT,
        "Deforestation increases river sediment in the Amazon basin.",
        "River sediment increases deforestation in the Amazon basin.",
    ),
    (
        DIFFERENT,
        "Daily aspirin reduced the risk of colorectal cancer in adults over fifty.",
        "Daily aspirin increased the risk of gastric bleeding in adults over fifty.",
    ),
    (
        DIFFERENT,
        "The mean annual temperature of Lake Baikal rose by 1.2 °C between 1950 and 2000.",
        "The mean annual ice cover of Lake Baikal fell by 18 days between 1950 and 2000.",
    ),
    (
        DIFFERENT,
        "Bees visit more flowers in gardens without pesticides.",
        "Pesticides persist in garden soils for several years.",
    ),
    (
        DIFFERENT,
        "Carbon dioxide concentration at the station rises by 2.4 ppm a year.",
        "Methane concentration at the station rises by 9 ppb a year.",
    ),
    (
        SAME,
        "Regular exercise lowers blood pressure in people with hypertension.",
        "Blood pressure of people with hypertension is reduced by regular exercise.",
    ),
    (
        SAME,
        "Wetlands store about a third of the carbon held in the world's soils.",
        "About one third of the world's soil carbon is stored in wetlands.",
    ),
    (
        SAME,
        "Students who explain concepts to themselves learn more from worked examples.",
        "Learning from worked examples is greater when students explain the concepts to themselves.",
    ),
    (
        SAME,
        "Coral bleaching became more frequent as sea surface temperatures rose.",
        "As sea surface temperature rises, bleaching of corals is more frequent.",
    ),
    (
        SAME,
        "Open-access articles receive more citations than articles behind paywalls.",
        "Articles behind a paywall are cited less often than open-access articles.",
    ),
    (
        SAME,
        "Low-dose CT screening reduced lung cancer mortality by 20 % in heavy smokers.",
        "In heavy smokers, mortality from lung cancer fell by 20 % with low-dose CT screening.",
    ),
    (
        SAME,
        "Noise from ships masks the calls of humpback whales.",
        "The calls of humpback whales are masked by the noise that ships make.",
    ),
    (
        SAME,
        "Early childhood education increases earnings in adulthood.",
        "Adult earnings are higher after early childhood education.",
    ),
    (
        OPPOSED,
        "Homework improves the achievement of primary school children.",
        "Homework has no effect on the achievement of primary school children.",
    ),
    (
        OPPOSED,
        "Biochar amendment decreases nitrous oxide emissions from arable soil.",
        "Nitrous oxide emissions from arable soil increase after biochar amendment.",
    ),
    (
        OPPOSED,
        "Remote work raises the productivity of call centre staff.",
        "The productivity of call centre staff was lowered by remote work.",
    ),
    (
        OPPOSED,
        "The glacier lost 12 metres of thickness in the decade.",
        "The glacier lost 31 metres of thickness in the decade.",
    ),
    (
        OPPOSED,
        "Statins reduce the risk of dementia in older adults.",
        "Statins were not associated with a lower risk of dementia in older adults.",
    ),
    (
        DIFFERENT,
        "Regular exercise lowers blood pressure in people with hypertension.",
        "Regular exercise improves mood in people with depression.",
    ),
    (
        DIFFERENT,
        "Wetlands store about a third of the carbon held in the world's soils.",
        "Wetlands release about a third of the methane emitted in the world.",
    ),
    (
        DIFFERENT,
        "Unemployment raises the risk of depression among young men.",
        "Depression raises the risk of unemployment among young men.",
    ),
    (
        DIFFERENT,
        "Low-dose CT screening reduced lung cancer mortality by 20 % in heavy smokers.",
        "Low-dose CT screening found nodules in 24 % of heavy smokers.",
    ),
    (
        DIFFERENT,
        "Noise from ships masks the calls of humpback whales.",
        "Humpback whales are struck by ships along shipping lanes.",
    ),
    (
        DIFFERENT,
        "The enzyme is most active at 37 °C and pH 7.4.",
        "The enzyme loses its activity within an hour at room temperature.",
    ),
    (
        DIFFERENT,
        "Solar panels cost 90 % less in 2020 than in 2010.",
        "Batteries cost 89 % less in 2020 than in 2010.",
    ),
    (
        DIFFERENT,
        "Teachers report that large classes leave little time for feedback.",
        "Feedback from teachers improves the writing of pupils.",
    ),
    (
        DIFFERENT,
        "Rainfall in the Sahel recovered after the drought of the 1980s.",
        "Vegetation in the Sahel recovered after the drought of the 1980s.",
    ),
)

JUDGE: tuple[Pair, ...] = (
    (
        SAME,
        "Mindfulness training reduces symptoms of anxiety in university students.",
        "University students had fewer anxiety symptoms after a course of mindfulness training.",
    ),
    (
        SAME,
        "Conversion of forest to cropland releases most of the soil's organic carbon within twenty years.",
        "Within twenty years, most of the organic carbon of the soil is released when forest is converted to cropland.",
    ),
    (
        SAME,
        "Bilingual children switch between tasks faster than monolingual children.",
        "Task switching is quicker in bilingual than in monolingual children.",
    ),
    (
        SAME,
        "Handwashing with soap cut diarrhoea cases by 42 % in the villages studied.",
        "In the villages, cases of diarrhoea were reduced by 42 percent through handwashing with soap.",
    ),
    (
        SAME,
        "Microplastics were found in nine of ten samples of tap water.",
        "Nine out of ten tap water samples contained microplastics.",
    ),
    (
        SAME,
        "The drug shrinks tumours in mice.",
        "Mice treated with the drug have smaller tumours.",
    ),
    (
        SAME,
        "Elderly patients recover more slowly from hip surgery.",
        "Convalescence after an operation on the hip takes longer in old age.",
    ),
    (
        OPPOSED,
        "Coffee consumption raises the risk of bladder cancer.",
        "The risk of bladder cancer is not raised by coffee consumption.",
    ),
    (
        OPPOSED,
        "School closures lowered transmission of influenza in the city.",
        "Transmission of influenza in the city rose with school closures.",
    ),
    (
        OPPOSED,
        "The treaty reduced emissions of sulphur by 70 % in ten years.",
        "The treaty reduced emissions of sulphur by 25 % in ten years.",
    ),
    (
        OPPOSED,
        "Early retirement improves mental health.",
        "There is no evidence that early retirement improves mental health.",
    ),
    (
        OPPOSED,
        "Organic farming lowers yields of wheat.",
        "Wheat yields are higher under organic farming.",
    ),
    (
        DIFFERENT,
        "The drug shrinks tumours in mice.",
        "The drug had no effect on tumours in dogs.",
    ),
    (
        DIFFERENT,
        "Predators increase the diversity of rocky shore communities.",
        "The diversity of rocky shore communities increases with wave exposure.",
    ),
    (
        DIFFERENT,
        "Handwashing with soap cut diarrhoea cases by 42 % in the villages studied.",
        "Clean cooking stoves cut pneumonia cases by 30 % in the villages studied.",
    ),
    (
        DIFFERENT,
        "Poverty increases crime in large cities.",
        "Crime increases poverty in large cities.",
    ),
    (
        DIFFERENT,
        "Glaciers in Norway advanced in the 1990s because winters were wetter.",
        "Glaciers in Norway retreated after 2000 because summers were warmer.",
    ),
    (
        DIFFERENT,
        "Teenagers sleep less on school nights when they use phones in bed.",
        "Teenagers eat less breakfast when they sleep less on school nights.",
    ),
    (
        DIFFERENT,
        "Salt marshes protect the coast from storm surges.",
        "Salt marshes along the coast are lost to rising sea level.",
    ),
    (
        DIFFERENT,
        "Copper conducts electricity better than aluminium.",
        "Aluminium conducts electricity better than iron.",
    ),
)
